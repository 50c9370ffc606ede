"""One run, from the files to the committed star: plan → land → publish → record."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from sparkify import __version__
from sparkify.custom.definitions import NO_MODELS, Models
from sparkify.errors import CheckError, Hint, SparkifyError, TransientEngineError
from sparkify.pipeline.attention import Attention, Findings, find_attention, refuse
from sparkify.pipeline.checks import CheckResult, raise_failures, run_checks, run_warnings
from sparkify.pipeline.contents import Decision, FoundContents, Known, settle, write_contents
from sparkify.pipeline.erased import NOTHING, Erased, drop_rejects
from sparkify.pipeline.landing import ANALYZED_ROWS, Landing
from sparkify.pipeline.plan import Batch, Plan, Source, make_plan
from sparkify.pipeline.progress import ShowProgress
from sparkify.pipeline.removal import RETAIN
from sparkify.pipeline.retry import note_committed, persist, was_committed
from sparkify.pipeline.scope import Scope
from sparkify.pipeline.set_aside import (
    known_aside,
    new_aside,
    note_set_aside,
    set_aside_bad_files,
    verify_anything_loads,
)
from sparkify.pipeline.stage import accept, forget, quarantine
from sparkify.pipeline.threshold import MaxRejects
from sparkify.pipeline.transform import build_own, count_plays, find_scope, transform
from sparkify.records import RecordKind
from sparkify.tempfiles import open_temporary_folder
from sparkify.text import name_runs
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import (
    CheckRecord,
    Ledger,
    Meta,
    RunRecord,
    latest_run,
    now,
    read_ledger,
    record,
)
from sparkify.warehouse.tables import STAR
from sparkify.warehouse.version import (
    changed_models,
    prepare_tables,
    today,
    write_meta,
)

if TYPE_CHECKING:
    from sparkify.pipeline.retention import Expired


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run goes about it.

    Attributes:
        full_refresh: Compute the whole star from staging, whatever changed.
        batch_bytes: About how much of files one transaction takes in; None: as much as suits the engine.
        max_rejects: How many rejects a batch may have.
        reload: URIs of loaded files to read again although they did not change.
        only_upgrade: Load nothing new: bring the warehouse to this version, and read again what that asks
            for.
        strict: Publish nothing when something wants a look.
        clock: Tells the time, UTC without a zone: the newest day is judged when it is over.
        models: The user's own models and checks.
        drop_models: Which of the user's models go if their file is gone.
        retain: How many days of events are kept; None: all.
    """

    full_refresh: bool = False
    batch_bytes: int | None = None
    max_rejects: MaxRejects = field(default_factory=MaxRejects)
    reload: frozenset[str] = frozenset()
    only_upgrade: bool = False
    strict: bool = False
    clock: Callable[[], datetime] = now
    models: Models = NO_MODELS
    drop_models: frozenset[str] = frozenset()
    retain: int | None = None

    def batch_sizes(self, engine: Engine) -> tuple[int, int]:
        """Return about how many bytes of files the first transaction takes in, and each later one."""
        return engine.batch_bytes if self.batch_bytes is None else (self.batch_bytes, self.batch_bytes)


@dataclass(slots=True)
class Summary:
    """What an `etl` did: its plan, one record per committed batch, and the checks of the last one.

    ``unknown`` counts fields without a column by kind and name; ``found`` has moved files and copies.
    ``attention`` is what wants a look, and no earlier run has told; ``known`` is what one has.
    ``expired`` is the run that took out what is too old; None: nothing is, or nothing was asked.
    ``checked_all``: the checks looked at the whole warehouse, not just at what the last batch touched.
    """

    plan: Plan
    runs: list[RunRecord] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    unknown: dict[tuple[str, str], int] = field(default_factory=dict)
    found: FoundContents = field(default_factory=FoundContents)
    attention: list[Attention] = field(default_factory=list)
    known: list[Attention] = field(default_factory=list)
    checked_all: bool = False
    expired: RunRecord | None = None

    @property
    def gone(self) -> list[str]:
        """URIs of loaded files that are not in the lake any more, under any name."""
        moved = {uri for uri, _ in self.found.moved}
        return [uri for uri in self.plan.gone if uri not in moved]


class Published(NamedTuple):
    """What a transaction has published, or was about to: its record, its checks, and what it took in.

    ``expired`` is the record of what went for its age in the same transaction.
    ``touched`` are the days of the events that the load has brought or taken so far.
    """

    run: RunRecord
    checks: list[CheckResult]
    batch: Batch
    landing: Landing
    decision: Decision
    touched: Scope
    findings: Findings
    checked_all: bool
    expired: RunRecord | None = None


def run_etl(
    engine: Engine,
    sources: Sequence[Source],
    progress: ShowProgress,
    options: RunOptions | None = None,
    sleep: Callable[[float], None] = time.sleep,
    is_gone: Callable[[str], bool] = lambda _root: False,
) -> Summary:
    """Load what is new or changed, transform, check and commit, batch by batch.

    What fails in a way that may pass is tried again, from the plan on.

    Args:
        engine: The warehouse.
        sources: The files, listed.
        progress: Told what is done.
        options: How to go about it.
        sleep: Waits so many seconds before another try.
        is_gone: Tells whether nothing lies below a root any more; False where that cannot be asked.

    Raises:
        CheckError: A check failed or there are too many rejects; that batch is rolled back, batches before
            it are committed.
        ConfigError: The warehouse is newer than we are.
        SparkifyError: Anything else; likewise.
    """
    engine.recover()
    run = EtlRun(engine, sources, progress, options or RunOptions(), cache(is_gone))
    return persist(run.carry_out, progress, sleep, lambda: len(run.runs))


@dataclass(slots=True)
class EtlRun:
    """A load, which may be begun several times; what is committed stays done."""

    engine: Engine
    sources: Sequence[Source]
    progress: ShowProgress
    options: RunOptions
    is_gone: Callable[[str], bool] = lambda _root: False
    first_plan: Plan | None = None
    runs: list[RunRecord] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    unknown: dict[tuple[str, str], int] = field(default_factory=dict)
    found: FoundContents = field(default_factory=FoundContents)
    touched: Scope = field(default_factory=Scope)
    findings: Findings = field(default_factory=Findings)
    checked_all: bool = False
    erased: Erased = field(default_factory=Erased)
    # The moment from which on events are kept, until that is seen to.
    before: int | None = None
    expired: RunRecord | None = None
    # What was about to be committed; still here when a try begins, its COMMIT was not answered.
    unanswered: Published | None = None

    def carry_out(self) -> Summary:
        """Plan, then land, publish and record batch by batch, until a plan is carried out to its end."""
        try:
            self.recall()
            while True:
                plan = self.plan()
                after, files = plan.latest_run, plan.known
                sizes = self.options.batch_sizes(self.engine)
                for batch in plan.batches(*sizes, full_refresh=self.options.full_refresh):
                    self.engine.name_run(after + 1)
                    landing = self.land(batch, plan.kinds)
                    if not (landing.has_news or batch.always or plan.upgrade or plan.new_models):
                        self.findings.known += known_aside(landing)
                        continue
                    known = Known(files, self.sources, plan.reread, self.is_gone, self.found)
                    published = self.publish(batch, landing, after, known)
                    if published is None:
                        break  # another run has committed since we planned: what landed may be there already
                    after = self.record(published)
                    if published.checked_all or not known.has_events:
                        self._analyze_star(published)
                    if not batch.last:
                        files = read_ledger(self.engine).files
                else:
                    self.expire()
                    return self.summary(self.first_plan or plan)
        except BaseException as exc:
            self._note_committed(exc)
            note_committed(exc, self.engine, self.unanswered and self.unanswered.run)
            raise

    def summary(self, plan: Plan) -> Summary:
        """Return what was done."""
        found = self.findings
        told = found.new, found.known, self.checked_all, self.expired
        return Summary(plan, self.runs, self.checks, self.unknown, self.found, *told)

    def recall(self) -> None:
        """Record what an earlier try has committed without getting an answer."""
        # Forgotten only when the ledger has told: to ask it may fail as well.
        if self.unanswered and was_committed(self.engine, self.unanswered.run):
            self.record(self.unanswered)
        self.unanswered = None

    def plan(self) -> Plan:
        """Bring older tables up to date, then find out what there is to load."""
        ledger = read_ledger(self.engine)
        plan = self._make_plan(ledger)
        if plan.upgrade.definitions:
            self.progress(label="upgrading the tables")
            with self.engine.writing():
                prepare_tables(self.engine)
            ledger = read_ledger(self.engine)
            plan = replace(self._make_plan(ledger), upgrade=plan.upgrade)
        if self.options.only_upgrade:
            again = [file for file in plan.files if file.item.uri in plan.reread]
            plan = replace(plan, files=again, taken_over=[])
        self.first_plan = self.first_plan or plan
        self.erased = self._find_erased(ledger)
        self.progress.expect(files=len(plan.files), size=plan.size)
        return plan

    def _find_erased(self, ledger: Ledger) -> Erased:
        """Return what is kept out of the warehouse; for its age, what this run is to see to as well."""
        known = Erased.of(ledger.erased)
        if self.options.retain is None or self.options.only_upgrade:
            return known
        from sparkify.pipeline.retention import bound_of

        erased = known.not_before(bound_of(self.options.retain, self.options.clock().date()))
        self.before = None if erased is known else erased.before
        return erased

    def _analyze_star(self, published: Published) -> None:
        """Tell the planner of a large star that was computed whole, since the next run joins with it."""
        if published.run.songplays < ANALYZED_ROWS:
            return
        self.progress(label="analysing the star")
        try:
            self.engine.analyze([f"public.{name}" for name in STAR])
        except TransientEngineError as exc:  # the run is committed
            _log.debug("ANALYZE was not finished: %s", exc.message)

    def expire(self) -> None:
        """Take out what is too old, where no batch has done it: there was nothing to load."""
        if self.before is None:
            return
        from sparkify.pipeline.retention import has_older, retain

        if has_older(self.engine, self.before):
            self.expired = retain(self.engine, self.before, self.progress, self.options.models)
        self.before = None

    def _make_plan(self, ledger: Ledger) -> Plan:
        options = self.options
        return make_plan(
            self.sources,
            ledger,
            options.reload,
            options.max_rejects.accepts,
            options.models,
            options.drop_models,
            full_refresh=options.full_refresh,
        )

    def land(self, batch: Batch, kinds: Sequence[RecordKind]) -> Landing:
        """Read, parse and land the files of a batch; the warehouse is not touched."""
        from sparkify.pipeline.land import land  # most runs of a night's several have nothing to land

        with open_temporary_folder() as folder:
            landing = land(self.engine, batch.files, folder, self.progress, kinds)
        drop_rejects(landing, self.erased)
        set_aside_bad_files(self.engine, landing, self._max_rejects(batch))
        return landing

    def _max_rejects(self, batch: Batch) -> MaxRejects:
        """Return how many rejects files may have: of those that are read again, as many as they had."""
        most = self.options.max_rejects
        if not most.as_before:
            return most
        return replace(most, known={each.item.uri: each.rejected_before for each in batch.files})

    def publish(self, batch: Batch, landing: Landing, after: int, known: Known) -> Published | None:
        """Bring what has landed into the warehouse; None if another run came between."""
        first_run = self.runs[0].run_id if self.runs else after + 1
        return publish(
            self.engine,
            batch,
            landing,
            known,
            after,
            self.options,
            self._max_rejects(batch),
            self.progress,
            first_run,
            self._about_to_commit,
            self.touched,
            self.erased,
            self.before,
        )

    def record(self, published: Published) -> int:
        """Note a batch that is committed; return its run."""
        self.unanswered = None
        self.before = None
        self.expired = self.expired or published.expired
        self.runs.append(published.run)
        self.checks = published.checks
        self.found.add(published.decision, len(published.batch.files))
        self.touched = published.touched
        self.checked_all = published.checked_all
        self.findings.add(published.findings)
        taken = {each.item.uri for each in published.batch.files}
        self.options = replace(
            self.options,
            reload=self.options.reload - taken,
            full_refresh=self.options.full_refresh and not published.batch.full_refresh,
        )
        for key, count in published.landing.unknown.items():
            self.unknown[key] = self.unknown.get(key, 0) + count
        return (published.expired or published.run).run_id

    def _about_to_commit(self, published: Published) -> None:
        self.unanswered = published

    def _note_committed(self, exc: BaseException) -> None:
        """Add to what ends the work which batches stay."""
        if not self.runs:
            return
        several = len(self.runs) > 1
        done = f"{name_runs([run.run_id for run in self.runs])} {'are' if several else 'is'} committed"
        exc.add_note(done)
        if isinstance(exc, SparkifyError):
            exc.hint = Hint("{} This was one batch of several: {} before it.", exc.hint, done)


def publish(
    engine: Engine,
    batch: Batch,
    landing: Landing,
    known: Known,
    after: int,
    options: RunOptions,
    max_rejects: MaxRejects,
    progress: ShowProgress,
    first_run: int,
    about_to_commit: Callable[[Published], None],
    touched: Scope | None = None,
    erased: Erased = NOTHING,
    before: int | None = None,
) -> Published | None:
    """Bring what has landed into the warehouse, in one transaction.

    Args:
        engine: The warehouse.
        batch: What was to be loaded.
        landing: What has landed of it.
        known: What its contents are compared with.
        after: The latest run, as it was planned with.
        options: How to go about it.
        max_rejects: How many rejects its files may have.
        progress: Told what is done.
        first_run: The run of the first batch of this load.
        about_to_commit: Told what is about to be committed.
        touched: The days of the events in earlier batches of this load.
        erased: What is kept out of the warehouse; of what has landed, the rejects are without it.
        before: Events before this moment are to go, in ms since 1970; None: that is seen to.

    Returns:
        What was published; None if another run came between.

    Raises:
        CheckError: A check failed or there are too many rejects: nothing is published, and the ledger says
            why.
    """
    run = _describe(after + 1, batch, landing, options)
    checks: list[CheckResult] = []
    try:
        verify_anything_loads(batch, landing)
        with engine.writing():
            meta = prepare_tables(engine)
            if latest_run(engine) != after:
                return None
            progress(label="moving the records into the warehouse")
            landing = _keep_out(engine, landing, erased)
            landing, decision = settle(engine, landing, known)
            run = _describe(after + 1, batch, landing, options)
            max_rejects.verify(landing.files)
            # A changed model says of all rows what an unchanged one says of the new ones.
            refresh = batch.full_refresh or bool(changed_models(meta))
            expired = None if before is None else _expire(engine, run.run_id + 1, before, options.models)
            note_set_aside(engine, run.run_id, landing.aside)
            forget(engine, run.run_id, decision.replaced, "replaced")
            write_contents(engine, run.run_id, decision)
            first = not known.has_events
            accept(engine, run.run_id, landing, first=first)
            scope = landing.scope if first else find_scope(engine)
            touched = (touched or Scope()).joined(scope)
            run_from = run.run_id
            if expired:
                scope = Scope((*expired.scope.pieces, *scope.pieces), scope.everything)
                run_from = min(run_from, expired.first_run or run_from)
            if refresh:
                scope = Scope.all()
            transform(engine, scope, progress)
            build_own(engine, options.models, scope, run.run_id, progress, options.drop_models)
            progress(label="checking the data")
            checks = run_checks(
                engine,
                scope,
                run_from=0 if refresh else run_from,
                first_run=0 if refresh else first_run,
                last_batch=batch.last,
                models=options.models,
            )
            raise_failures(checks)
            if batch.last:
                checks += run_warnings(
                    engine, touched, first_run=first_run, now=options.clock(), models=options.models
                )
            findings = find_attention(engine, checks)
            findings.add(Findings(new_aside(landing), known_aside(landing)))
            if options.strict:
                refuse(findings.new)
            # What has moved keeps its rows: the next run reads it again where it is now.
            new_rules = batch.new_rules and not known.has_moved(known.reload, decision)
            _bring_to_today(engine, meta, refresh=refresh, new_rules=new_rules)
            run = _finish(engine, run, scope, checks)
            went = _record_expired(engine, run, expired)
            published = Published(
                *(run, checks, batch, landing, decision, touched, findings, scope.everything, went)
            )
            about_to_commit(published)
            progress(label="writing the warehouse")
    except CheckError as exc:
        _record_failure(engine, run, landing, checks, exc)
        raise
    return published


def _keep_out(engine: Engine, landing: Landing, erased: Erased) -> Landing:
    """Take what was erased out of what has landed."""
    if not erased:
        return landing
    # Not needed where nothing was.
    from sparkify.pipeline.erasure import erase_landed

    return erase_landed(engine, landing, erased)


def _expire(engine: Engine, run_id: int, before: int, models: Models) -> Expired | None:
    """Take out what is too old; None: nothing was."""
    from sparkify.pipeline.retention import expire

    return expire(engine, run_id, before, models) or None


def _record_expired(engine: Engine, run: RunRecord, expired: Expired | None) -> RunRecord | None:
    """Write into the ledger, as a run of its own, what went for its age."""
    if expired is None:
        return None
    went = run._replace(
        run_id=run.run_id + 1,
        mode=RETAIN,
        **{**expired.change._asdict(), "songplays": run.songplays, "plays_matched": run.plays_matched},
    )
    record(engine, "etl.runs", [went])
    return went


def _bring_to_today(engine: Engine, meta: Meta, *, refresh: bool, new_rules: bool) -> None:
    """Write that the models, or the rules, are those of today."""
    now_meta = meta._replace(
        models_digest=today().models_digest if refresh else meta.models_digest,
        rules_version=today().rules_version if new_rules else meta.rules_version,
    )
    if now_meta != meta:
        write_meta(engine, now_meta)


def _describe(run_id: int, batch: Batch, landing: Landing, options: RunOptions) -> RunRecord:
    return RunRecord(
        run_id=run_id,
        mode=_mode(batch, landing, options),
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
        rows_erased=sum(each.erased for each in landing.files),
    )


def _mode(batch: Batch, landing: Landing, options: RunOptions) -> str:
    if batch.full_refresh:
        return "full-refresh"
    if batch.only_models:
        return "models"
    if options.only_upgrade or not (batch.files or batch.takes_over):
        return "upgrade"
    replayed = any(each.file.item.uri in options.reload for each in landing.files)
    return "replay" if replayed else "incremental"


def _finish(engine: Engine, run: RunRecord, scope: Scope, checks: Sequence[CheckResult]) -> RunRecord:
    """Write the run and its checks into the ledger, in the transaction of its rows."""
    plays, matched, staged = count_plays(engine, scope)
    done = run._replace(
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
    failed = run._replace(status="failed", finished_at=now(), error=exc.message[:1000])
    with engine.writing():
        prepare_tables(engine)
        if latest_run(engine) < run.run_id:
            record(engine, "etl.runs", [failed])
            record(engine, "etl.checks", _check_records(failed, checks))
            quarantine(engine, failed.run_id, landing)


def _check_records(run: RunRecord, checks: Sequence[CheckResult]) -> list[CheckRecord]:
    records = []
    for each in checks:
        if each.is_warning and each.failing:
            records += [
                CheckRecord(run.run_id, each.name, 1, str(found)[:1000], each.severity, str(subject))
                for subject, found in each.failing
            ]
        else:
            sample = each.sample and each.sample[:1000]
            records.append(CheckRecord(run.run_id, each.name, len(each.failing), sample, each.severity))
    return records
