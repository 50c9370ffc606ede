"""One run, from the files to the committed star."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sparkify import __version__
from sparkify.errors import CheckError, SparkifyError
from sparkify.lake.spool import open_spool
from sparkify.pipeline.check import CheckResult, raise_failures, run_checks
from sparkify.pipeline.plan import Plan, PlannedFile, Source, make_plan
from sparkify.pipeline.scope import Scope
from sparkify.pipeline.stage import Landed, ShowProgress, accept, forget, land, prepare
from sparkify.pipeline.transform import transform
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import CheckRecord, RunRecord, latest_run, read_ledger, record
from sparkify.warehouse.statements import statement
from sparkify.warehouse.tables import create_tables

BATCH_BYTES = 4 * 1024**3


@dataclass(slots=True)
class Summary:
    """What an `etl` did: its plan, one record per committed batch, and the checks of the last one."""

    plan: Plan
    runs: list[RunRecord] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)


def run_etl(
    engine: Engine,
    sources: Sequence[Source],
    progress: ShowProgress,
    *,
    full_refresh: bool = False,
    batch_bytes: int = BATCH_BYTES,
) -> Summary:
    """Load what is new or changed, transform, check and commit, batch by batch.

    Args:
        engine: The warehouse.
        sources: The files, listed.
        progress: Told what is done.
        full_refresh: Compute the whole star from staging, whatever changed.
        batch_bytes: About how much (as stored) one transaction takes in.

    Raises:
        CheckError: A check failed; that batch is rolled back, batches before it are committed.
        SparkifyError: Anything else; likewise.
    """
    plan = make_plan(sources, read_ledger(engine))
    summary = Summary(plan)
    batches = list(plan.batches(batch_bytes)) or ([[]] if full_refresh else [])
    after = plan.latest_run
    for number, batch in enumerate(batches, 1):
        last = number == len(batches)
        record, checks = _run_batch(engine, batch, after, progress, full_refresh=full_refresh and last)
        if record is None:
            # Another run has committed since we planned: what we landed may be there already.
            again = run_etl(engine, sources, progress, full_refresh=full_refresh, batch_bytes=batch_bytes)
            return Summary(again.plan, summary.runs + again.runs, again.checks)
        after = record.run_id
        summary.runs.append(record)
        summary.checks = checks
    return summary


def _run_batch(
    engine: Engine, files: Sequence[PlannedFile], after: int, progress: ShowProgress, *, full_refresh: bool
) -> tuple[RunRecord | None, list[CheckResult]]:
    """Land files without a lock, then publish them in one transaction; None if another run came between."""
    started = datetime.now(UTC).replace(tzinfo=None)
    prepare(engine)
    with open_spool() as spool:
        landed, scope = land(engine, files, spool, progress)
    run = _describe(after + 1, landed, started, full_refresh=full_refresh)
    checks: list[CheckResult] = []
    try:
        with engine.writing():
            create_tables(engine)
            if latest_run(engine) != after:
                return None, []
            replaced = [file.file_id for file in files if file.replaces]
            scope = forget(engine, replaced, scope, "replaced")
            accept(engine, run.run_id, landed)
            if full_refresh:
                scope = Scope.everything()
            transform(engine, scope, progress, full_refresh=full_refresh)
            progress(label="checking")
            checks = run_checks(engine, scope, run_from=0 if full_refresh else run.run_id)
            raise_failures(checks)
            run = _finish(engine, run, scope, checks)
            progress(label="committing")
    except SparkifyError as exc:
        _record_failure(engine, run, checks, exc)
        raise
    return run, checks


def _describe(run_id: int, landed: Sequence[Landed], started: datetime, *, full_refresh: bool) -> RunRecord:
    read = sum(each.rows_read for each in landed)
    loaded = sum(each.rows_landed for each in landed)
    return RunRecord(
        run_id=run_id,
        mode="full-refresh" if full_refresh else "incremental",
        status="running",
        started_at=started,
        finished_at=started,
        files_loaded=len(landed),
        rows_read=read,
        rows_loaded=loaded,
        rows_rejected=read - loaded,
        plays_loaded=sum(each.plays for each in landed),
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
        finished_at=datetime.now(UTC).replace(tzinfo=None),
        duplicates=staged - plays,
        songplays=plays,
        plays_matched=matched,
    )
    record(engine, "etl.runs", [done])
    record(engine, "etl.checks", _check_records(run, checks))
    return done


def _record_failure(
    engine: Engine, run: RunRecord, checks: Sequence[CheckResult], exc: SparkifyError
) -> None:
    """Leave a trace of a failed run in the history; its rows are rolled back already.

    Only for failed checks: where the database itself failed there is no point in asking it to write.
    """
    if not isinstance(exc, CheckError):
        return
    failed = replace(
        run,
        status="failed",
        finished_at=datetime.now(UTC).replace(tzinfo=None),
        error=exc.message[:1000],
    )
    with engine.writing():
        create_tables(engine)
        record(engine, "etl.runs", [failed])
        record(engine, "etl.checks", _check_records(failed, checks))


def _check_records(run: RunRecord, checks: Sequence[CheckResult]) -> list[CheckRecord]:
    return [
        CheckRecord(run.run_id, each.name, len(each.failing), each.sample and each.sample[:1000])
        for each in checks
    ]
