"""What a run would send, written down: no file is read, nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from sparkify.custom.building import GONE, ModelChange, statements_to_build
from sparkify.pipeline.checks import all_checks
from sparkify.pipeline.contents import Known
from sparkify.pipeline.erased import Erased
from sparkify.pipeline.etl_run import Published, RunOptions, publish
from sparkify.pipeline.landing import LandedFile, Landing
from sparkify.pipeline.plan import Batch, Plan, PlannedFile
from sparkify.records import KINDS, SONGS, RecordKind
from sparkify.settings import Settings
from sparkify.warehouse.connect import open_recording
from sparkify.warehouse.derived import shared_statements, statements_of
from sparkify.warehouse.engine import Engine, RecordFile
from sparkify.warehouse.ledger import Ledger, LedgerFile, read_ledger
from sparkify.warehouse.models import MODELS, RESET
from sparkify.warehouse.redshift.recording import Answers, RedshiftRecording
from sparkify.warehouse.statements import LOST, SPARSE, TOUCHED, Statement, read_statements
from sparkify.warehouse.tables import count_rows
from sparkify.warehouse.version import prepare_tables, today


class _Silence:
    """Nobody wants to know."""

    def expect(self, *, files: int, size: int) -> None: ...

    def __call__(
        self, *, files: int = 0, rows: int = 0, size: int = 0, reading: int = 0, label: str | None = None
    ) -> None: ...


def list_models(engine: Engine, options: RunOptions, changes: Sequence[ModelChange]) -> list[str]:
    """Return a run's models and checks in the engine's dialect, each with its parameters in a comment.

    As for days that come whole (:mod:`sparkify.pipeline.scope`); the checks as a run makes them, or, where
    everything is computed anew, as they look at everything. The user's own models follow those of the star:
    of each the statement that would make it, or its rows.
    """
    found = []
    left_out = (SPARSE, LOST, TOUCHED) if options.full_refresh else (SPARSE, LOST)
    for step in (each.without(*left_out) for each in _models(options, changes)):
        names = ", ".join(step.parameters)
        head = f"-- {step.path}, line {step.line}{f'; parameters: {names}' if names else ''}"
        found.append(f"{head}\n{engine.translate(step)}")
    return found


def _models(options: RunOptions, changes: Sequence[ModelChange]) -> Iterator[Statement]:
    yield from (statements_of(kind).accept for kind in KINDS)
    for path in (RESET, *MODELS) if options.full_refresh else MODELS:
        yield from read_statements(path)
    yield shared_statements().absent
    by_name = {model.name: model for model in options.models.models}
    for change in changes:
        if change.state != GONE:
            yield from statements_to_build(by_name[change.model], change.build, [])
    yield from (check.step for check in all_checks())
    yield from (check.step for check in options.models.checks)


def record_statements(settings: Settings, ledger: Ledger, plan: Plan, options: RunOptions) -> list[str]:
    """Return what a run of this plan sends to Redshift, in order, if every file is as it should be.

    A file that needs re-reading adds a few statements; so does each further piece of the run's scope, and
    each stretch in which the latest event of people is looked for who lost theirs. Songs are taken to be
    played before they arrive, and days to come whole. Counts and times that only the files tell are 0; so the
    texts are what is sent, the numbers in them are not.

    Args:
        settings: Where the cluster is.
        ledger: What the warehouse holds.
        plan: What would be loaded.
        options: How.
    """
    answers = Answers(
        latest_run=plan.latest_run,
        meta=ledger.meta,
        models=ledger.models,
        adopted=ledger.adopted,
        erased=ledger.erased,
    )
    recording = open_recording(settings, answers)
    read_ledger(recording)
    if plan.upgrade.definitions:
        with recording.writing():
            prepare_tables(recording)
        answers.meta = today()
        read_ledger(recording)
    files = list(ledger.files)
    for batch in plan.batches(*options.batch_sizes(recording), full_refresh=options.full_refresh):
        recording.name_run(answers.latest_run + 1)
        recording.prepare(plan.kinds)
        landing = _land(recording, batch, plan.kinds)
        known = Known(files)
        refresh = batch.full_refresh or bool(plan.upgrade.models)
        answers.brings_events = any(file.source.kind.fact for file in batch.files)
        brings_songs = any(not file.source.kind.fact for file in batch.files)
        has_songs = brings_songs or any(file.kind == SONGS.name and file.state == "loaded" for file in files)
        answers.changes_songs = has_songs if refresh else brings_songs
        answers.rematches = known.has_events and brings_songs and not refresh
        published = publish(
            recording,
            batch,
            landing,
            known,
            answers.latest_run,
            options,
            options.max_rejects,
            _Silence(),
            plan.latest_run + 1,
            _ignore,
            erased=Erased.of(ledger.erased),
        )
        assert published
        answers.meta, answers.latest_run = today(), published.run.run_id
        files += [_loaded(file, published.run.run_id) for file in batch.files]
        if not batch.last:
            read_ledger(recording)
    with recording.reading():
        count_rows(recording)
    return recording.statements


def _ignore(_published: Published) -> None:
    """Keep nothing of what would be committed."""


def _loaded(file: PlannedFile, run_id: int) -> LedgerFile:
    kind, item = file.source.kind.name, file.item
    return LedgerFile(file.file_id, kind, item.uri, item.size, item.version, "loaded", run_id, 0, 0)


def _landed(file: PlannedFile) -> LandedFile:
    moment = 0 if file.source.kind.moment else None
    return LandedFile(file, 0, 0, ts_from=moment, ts_to=moment)


def _land(recording: RedshiftRecording, batch: Batch, kinds: Sequence[RecordKind]) -> Landing:
    landing = Landing(kinds, [_landed(file) for file in batch.files])
    for kind in kinds:
        mine = [file for file in batch.files if file.source.kind == kind]
        if not mine:
            continue
        if kind.packed:
            recording.land_unread(kind, [(file.file_id, file.item.size) for file in mine])
        else:
            records = [
                RecordFile(Path(file.item.key), file.file_id, file.item.uri, size=file.item.size)
                for file in mine
            ]
            recording.land(kind, records)
        recording.execute(statements_of(kind).landed)
    return landing
