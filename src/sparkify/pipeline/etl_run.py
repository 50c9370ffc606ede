"""One run, from the files to the committed star."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sparkify import __version__
from sparkify.errors import CheckError, Hint, SparkifyError, TransientEngineError
from sparkify.pipeline.checks import CheckResult, raise_failures, run_checks
from sparkify.pipeline.land import Landing, land
from sparkify.pipeline.plan import Plan, Source, in_groups, make_plan
from sparkify.pipeline.progress import ShowProgress
from sparkify.pipeline.retry import Attempt, persist
from sparkify.pipeline.scope import Scope
from sparkify.pipeline.stage import accept, forget, quarantine
from sparkify.pipeline.threshold import MaxRejects
from sparkify.pipeline.transform import transform
from sparkify.tempfiles import open_spool
from sparkify.text import name_runs
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import CheckRecord, RunRecord, latest_run, now, read_ledger, record
from sparkify.warehouse.statements import statement
from sparkify.warehouse.tables import create_tables

# A run that will never be: the logs since are none.
_NO_RUN = 2**31 - 1


@dataclass(frozen=True, slots=True)
class RunOptions:
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
    engine: Engine,
    sources: Sequence[Source],
    progress: ShowProgress,
    options: RunOptions | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Summary:
    """Load what is new or changed, transform, check and commit, batch by batch.

    What fails in a way that may pass is tried again, from the plan on.

    Args:
        engine: The warehouse.
        sources: The files, listed.
        progress: Told what is done.
        options: How to go about it.
        sleep: Waits so many seconds before another try.

    Raises:
        CheckError: A check failed or there are too many rejects; that batch is rolled back, batches before
            it are committed.
        SparkifyError: Anything else; likewise.
    """
    engine.recover()
    work = _Work(engine, sources, progress, options or RunOptions())
    while True:
        done = len(work.runs)
        try:
            return persist(work.go_on, progress, sleep)
        except TransientEngineError:
            if len(work.runs) == done:
                raise


@dataclass(slots=True)
class _Work:
    """A run of batches that may be begun several times; what is committed stays done."""

    engine: Engine
    sources: Sequence[Source]
    progress: ShowProgress
    options: RunOptions
    plan: Plan | None = None
    runs: list[RunRecord] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    unknown: dict[tuple[str, str], int] = field(default_factory=dict)
    attempt: Attempt = field(default_factory=Attempt)
    # The batch whose COMMIT was not answered, and whether it was the last.
    pending: tuple[Landing, bool] | None = None

    def go_on(self) -> Summary:
        """Plan, and take in batch by batch until there is nothing left to do."""
        try:
            while not self._finished():
                pass
        except BaseException as exc:
            self._note_committed(exc)
            raise
        assert self.plan
        return Summary(self.plan, self.runs, self.checks, self.unknown)

    def _finished(self) -> bool:
        """Make one plan and carry it out; False when another run came between."""
        run = self.attempt.committed(self.engine)
        if run and self.pending:
            landing, last = self.pending
            self.checks = self.attempt.checks
            self._count(run, landing)
            if last:
                return True
        plan = make_plan(self.sources, read_ledger(self.engine), self.options.reload)
        self.plan = self.plan or plan
        self.progress.expect(files=len(plan.files), size=plan.size)
        batches = list(in_groups(plan.files, self.options.batch_bytes)) or (
            [[]] if self.options.full_refresh else []
        )
        after = plan.latest_run
        for number, batch in enumerate(batches, 1):
            last = number == len(batches)
            options = replace(self.options, full_refresh=self.options.full_refresh and last)
            first = self.runs[0].run_id if self.runs else after + 1
            plays_from = choose_plays_from(first, full_refresh=self.options.full_refresh, last=last)
            with open_spool() as spool:
                landing = land(self.engine, batch, spool, self.progress)
            self.pending = (landing, last)
            done = publish(
                self.engine, landing, after, self.progress, options, self.attempt, plays_from=plays_from
            )
            if done is None:
                # Another run has committed since we planned: what we landed may be there already.
                return False
            run, self.checks = done
            after = run.run_id
            self._count(run, landing)
        return True

    def _note_committed(self, exc: BaseException) -> None:
        """Have what ends the work say which batches stay."""
        if not self.runs:
            return
        several = len(self.runs) > 1
        done = f"{name_runs([run.run_id for run in self.runs])} {'are' if several else 'is'} committed"
        exc.add_note(done)
        if isinstance(exc, SparkifyError):
            exc.hint = Hint("{} This was one batch of several: {} before it.", exc.hint, done)

    def _count(self, run: RunRecord, landing: Landing) -> None:
        """Note a batch that is committed."""
        self.attempt.run, self.pending = None, None
        self.runs.append(run)
        taken = {each.file.item.uri for each in landing.files}
        self.options = replace(self.options, reload=self.options.reload - taken)
        for key, count in landing.unknown.items():
            self.unknown[key] = self.unknown.get(key, 0) + count


def choose_plays_from(first: int, *, full_refresh: bool, last: bool) -> int:
    """Return the first run whose logs must have given plays by now, as :func:`run_checks` wants it.

    A batch of quiet days is no failure while others follow.

    Args:
        first: The run of the first batch.
        full_refresh: Whether the star is computed anew from all logs.
        last: Whether this is the last batch.
    """
    if not last:
        return _NO_RUN
    return 0 if full_refresh else first


def publish(
    engine: Engine,
    landing: Landing,
    after: int,
    progress: ShowProgress,
    options: RunOptions,
    attempt: Attempt,
    *,
    plays_from: int,
) -> tuple[RunRecord, list[CheckResult]] | None:
    """Bring what has landed into the warehouse, in one transaction.

    Args:
        engine: The warehouse.
        landing: What has landed.
        after: The latest run, as it was planned with.
        progress: Told what is done.
        options: How to go about it.
        attempt: Told what is about to be committed.
        plays_from: As for :func:`sparkify.pipeline.checks.run_checks`.

    Returns:
        The run and its checks; None if another run came between.
    """
    run = _describe(after + 1, landing, options)
    checks: list[CheckResult] = []
    try:
        options.max_rejects.verify(landing.files)
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
            run_from = 0 if options.full_refresh else run.run_id
            checks = run_checks(engine, scope, run_from=run_from, plays_from=plays_from)
            raise_failures(checks)
            attempt.run = run = _finish(engine, run, scope, checks)
            attempt.checks = checks
            progress(label="committing")
    except CheckError as exc:
        _record_failure(engine, run, landing, checks, exc)
        raise
    return run, checks


def _describe(run_id: int, landing: Landing, options: RunOptions) -> RunRecord:
    return RunRecord(
        run_id=run_id,
        mode=_mode(landing, options),
        status="running",
        started_at=landing.started_at,
        finished_at=now(),
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


def _mode(landing: Landing, options: RunOptions) -> str:
    if options.full_refresh:
        return "full-refresh"
    replayed = any(each.file.item.uri in options.reload for each in landing.files)
    return "replay" if replayed else "incremental"


def _finish(engine: Engine, run: RunRecord, scope: Scope, checks: Sequence[CheckResult]) -> RunRecord:
    """Write the run and its checks into the ledger, in the transaction of its rows."""
    ((plays, matched, staged),) = engine.execute(statement("ledger/star_totals.sql"), **scope.parameters())
    done = replace(
        run,
        status="done",
        finished_at=now(),
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
    failed = replace(run, status="failed", finished_at=now(), error=exc.message[:1000])
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
