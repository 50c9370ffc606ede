"""One run, from the files to the committed star."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sparkify import __version__
from sparkify.errors import CheckError, TransientEngineError
from sparkify.lake.spool import open_spool
from sparkify.pipeline.check import CheckResult, raise_failures, run_checks
from sparkify.pipeline.land import Landing, land
from sparkify.pipeline.plan import Plan, Source, in_groups, make_plan
from sparkify.pipeline.progress import ShowProgress
from sparkify.pipeline.scope import Scope
from sparkify.pipeline.stage import accept, forget, quarantine
from sparkify.pipeline.threshold import MaxRejects
from sparkify.pipeline.transform import transform
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import CheckRecord, RunRecord, latest_run, read_ledger, record
from sparkify.warehouse.statements import statement
from sparkify.warehouse.tables import create_tables


@dataclass(frozen=True, slots=True)
class Options:
    """How a run goes about it.

    Attributes:
        full_refresh: Compute the whole star from staging, whatever changed.
        batch_bytes: About how much (as stored) one transaction takes in.
        max_rejects: How many rejects a batch may have.
        reload: URIs of loaded files to read again although they did not change.
    """

    full_refresh: bool = False
    batch_bytes: int = 4 * 1024**3
    max_rejects: MaxRejects = field(default_factory=MaxRejects)
    reload: frozenset[str] = frozenset()


@dataclass(slots=True)
class Summary:
    """What an `etl` did: its plan, one record per committed batch, and the checks of the last one.

    ``unknown`` counts fields without a column by kind and name.
    """

    plan: Plan
    runs: list[RunRecord] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    unknown: dict[tuple[str, str], int] = field(default_factory=dict)


def run_etl(
    engine: Engine, sources: Sequence[Source], progress: ShowProgress, options: Options | None = None
) -> Summary:
    """Load what is new or changed, transform, check and commit, batch by batch.

    Args:
        engine: The warehouse.
        sources: The files, listed.
        progress: Told what is done.
        options: How to go about it.

    Raises:
        CheckError: A check failed or there are too many rejects; that batch is rolled back, batches before
            it are committed.
        SparkifyError: Anything else; likewise.
    """
    options = options or Options()
    engine.recover()
    summary = Summary(make_plan(sources, read_ledger(engine), options.reload))
    progress.expect(files=len(summary.plan.files), size=summary.plan.size)
    batches = list(in_groups(summary.plan.files, options.batch_bytes)) or (
        [[]] if options.full_refresh else []
    )
    after = summary.plan.latest_run
    for number, batch in enumerate(batches, 1):
        refresh = options.full_refresh and number == len(batches)
        engine.prepare()
        with open_spool() as spool:
            landing = land(engine, batch, spool, progress)
        try:
            done = _publish(engine, landing, after, progress, replace(options, full_refresh=refresh))
        except TransientEngineError:
            done = None
        if done is None:
            # Another run has committed since we planned: what we landed may be there already.
            again = run_etl(engine, sources, progress, options)
            return replace(again, runs=summary.runs + again.runs)
        run, summary.checks = done
        after = run.run_id
        summary.runs.append(run)
        for key, count in landing.unknown.items():
            summary.unknown[key] = summary.unknown.get(key, 0) + count
    return summary


def _publish(
    engine: Engine, landing: Landing, after: int, progress: ShowProgress, options: Options
) -> tuple[RunRecord, list[CheckResult]] | None:
    """Bring what has landed into the warehouse, in one transaction; None if another run came between."""
    run = _describe(after + 1, landing, options)
    checks: list[CheckResult] = []
    try:
        options.max_rejects.verify(run.rows_rejected, run.rows_read)
        with engine.writing():
            create_tables(engine)
            if latest_run(engine) != after:
                return None
            replaced = [each.file.file_id for each in landing.files if each.file.replaces]
            scope = forget(engine, replaced, landing.scope, "replaced")
            accept(engine, run.run_id, landing)
            if options.full_refresh:
                scope = Scope.everything()
            transform(engine, scope, progress, full_refresh=options.full_refresh)
            progress(label="checking")
            checks = run_checks(engine, scope, run_from=0 if options.full_refresh else run.run_id)
            raise_failures(checks)
            run = _finish(engine, run, scope, checks)
            progress(label="committing")
    except CheckError as exc:
        _record_failure(engine, run, landing, checks, exc)
        raise
    return run, checks


def _describe(run_id: int, landing: Landing, options: Options) -> RunRecord:
    return RunRecord(
        run_id=run_id,
        mode="full-refresh" if options.full_refresh else "incremental",
        status="running",
        started_at=_now(),
        finished_at=_now(),
        files_loaded=len(landing.files),
        rows_read=sum(each.rows_read for each in landing.files),
        rows_loaded=sum(each.landed for each in landing.files),
        rows_rejected=sum(len(each.rejects) for each in landing.files),
        plays_loaded=sum(each.plays for each in landing.files),
        duplicates=0,
        songplays=0,
        plays_matched=0,
        version=__version__,
    )


def _finish(engine: Engine, run: RunRecord, scope: Scope, checks: Sequence[CheckResult]) -> RunRecord:
    """Write the run and its checks into the ledger, in the transaction of its rows."""
    ((plays, matched, staged),) = engine.execute(statement("ledger/star_totals.sql"), **scope.parameters())
    done = replace(
        run,
        status="done",
        finished_at=_now(),
        duplicates=staged - plays,
        songplays=plays,
        plays_matched=matched,
    )
    record(engine, "etl.runs", [done])
    record(engine, "etl.checks", _check_records(run, checks))
    return done


def _record_failure(
    engine: Engine, run: RunRecord, landing: Landing, checks: Sequence[CheckResult], exc: CheckError
) -> None:
    """Leave in the ledger why a run was not published, its rejects included; its rows are rolled back."""
    failed = replace(run, status="failed", finished_at=_now(), error=exc.message[:1000])
    with engine.writing():
        create_tables(engine)
        if latest_run(engine) < run.run_id:
            record(engine, "etl.runs", [failed])
            record(engine, "etl.checks", _check_records(failed, checks))
            quarantine(engine, failed.run_id, landing)


def _check_records(run: RunRecord, checks: Sequence[CheckResult]) -> list[CheckRecord]:
    return [
        CheckRecord(run.run_id, each.name, len(each.failing), each.sample and each.sample[:1000])
        for each in checks
    ]


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
