"""Rows out of the warehouse again: of files that are named (retract), or of those of a run (undo)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sparkify import __version__
from sparkify.custom.definitions import NO_MODELS, Models
from sparkify.errors import Command, Hint, SparkifyError
from sparkify.pipeline.checks import raise_failures, run_checks
from sparkify.pipeline.progress import ShowProgress
from sparkify.pipeline.retry import note_committed, persist, stands, was_committed
from sparkify.pipeline.scope import Scope
from sparkify.pipeline.stage import forget
from sparkify.pipeline.transform import build_own, count_plays, find_scope, transform
from sparkify.text import common_start, counted
from sparkify.warehouse.connect import require
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import (
    LedgerFile,
    Meta,
    RunRecord,
    files_below,
    files_of_run,
    latest_run,
    now,
    read_adopted,
    read_meta,
    record,
)
from sparkify.warehouse.statements import statement
from sparkify.warehouse.version import changed_models, prepare_tables, today, write_meta

# What the history calls these runs; the number of the run that was undone follows.
UNDO = "undo"
RETRACT = "retract"
BACK = "retract --back"
FORGET = "forget"
RETAIN = "retain"
ADOPT, DROP = "adopt", "drop field"
# What runs do that load no files.
_LOADING_NONE = {
    "full-refresh": "it computed the star anew",
    "models": "it built the models of your own",
    "upgrade": "it brought the warehouse up to date",
}


@dataclass(frozen=True, slots=True)
class Found:
    """The files that are to be taken out; if there are none any more, a sentence why."""

    files: list[LedgerFile]
    why_none: str = ""


def find_files_of_run(engine: Engine, run_id: int) -> Found:
    """Return what there is to undo of a run.

    Raises:
        EngineError: There is no warehouse.
        SparkifyError: There is no such run, or it took files out instead of loading them.
    """
    with engine.reading() as exists:
        require(engine, exists=exists)
        run = engine.execute(statement("ledger/find_run.sql"), run_id=run_id)
        latest = latest_run(engine)
        states = engine.execute(statement("ledger/states_of_run.sql"), run_id=run_id)
        current = files_of_run(engine, read_meta(engine) or Meta(), run_id)
        loaded = [file for file in current if file.state == "loaded"]
        adopted = next((each for each in read_adopted(engine) if each.run_id == run_id), None)
    if not run:
        raise SparkifyError(
            f"there is no run {run_id}: "
            + (f"the latest is run {latest}." if latest else "none was made yet."),
            Hint("{} lists them.", Command("runs")),
        )
    ((mode, status, files_loaded),) = run
    if mode.startswith(UNDO):
        raise SparkifyError(
            f"run {run_id} loaded nothing: it took the files of another run out ({mode}).",
            Hint("{} loads those files again, if the lake still has them.", Command("etl")),
        )
    if mode == RETRACT:
        raise SparkifyError(
            f"run {run_id} loaded nothing: it took {_some(-files_loaded)} out (retract).",
            Hint(
                "{} lets {} in again; {} names {}.",
                Command("retract", "--back", "URI"),
                "the file" if files_loaded == -1 else "files",
                Command("files"),
                "it" if files_loaded == -1 else "them",
            ),
        )
    if mode in (FORGET, RETAIN):
        raise SparkifyError(
            f"run {run_id} loaded nothing: it erased what was not to be kept ({mode}).",
            "What is erased is nowhere any more: that cannot be undone.",
        )
    if mode == BACK:
        raise SparkifyError(
            f"run {run_id} loaded nothing: it let in again what was retracted (retract --back).",
            Hint(
                "{} loads that, if the lake still has it; {} takes it out.",
                Command("etl"),
                Command("retract", "URI"),
            ),
        )
    if mode == ADOPT:
        raise SparkifyError(
            f"run {run_id} loaded nothing: it gave a field a column (adopt).",
            Hint("{} takes it away again.", Command("fields", "drop", adopted.field, "--kind", adopted.kind))
            if adopted
            else "It is gone again.",
        )
    if mode == DROP:
        raise SparkifyError(
            f"run {run_id} loaded nothing: it took a field's column away (drop field).",
            Hint(
                "{} gives it one again; {} names it.",
                Command("fields", "adopt", "FIELD"),
                Command("fields", "list"),
            ),
        )
    if loaded:
        return Found(loaded)
    return Found([], _why_none(run_id, mode, status, Counter(dict(states))))


def _some(files: int) -> str:
    return "a file" if files == 1 else counted(files, "file")


def _why_none(run_id: int, mode: str, status: str, states: Counter[str]) -> str:
    if status == "failed":
        return f"run {run_id} failed, and published nothing."
    if not states:
        did = _LOADING_NONE.get(mode)
        return f"run {run_id} loaded no files{f', {did}' if did else ''}."
    if set(states) == {"undone"}:
        return Hint("run {} was undone already; {} loads its files again.", str(run_id), Command("etl"))
    since = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
    return f"no rows of run {run_id} are left ({counted(states.total(), 'file')}: {since})."


def take_out(
    engine: Engine,
    files: Sequence[LedgerFile],
    state: str,
    mode: str,
    progress: ShowProgress,
    models: Models = NO_MODELS,
) -> RunRecord:
    """Take files' rows out, in one transaction, and bring the star up to date.

    Args:
        engine: The warehouse.
        files: The files, as they were found.
        state: What becomes of them in the ledger: ``retracted`` (stays out) or ``undone`` (the next run
            loads it again, if the lake still has it).
        mode: What the history calls this: :data:`RETRACT`, or :data:`UNDO` and the run's number.
        progress: Told what is done.
        models: The user's own models and checks.

    Returns:
        The record of this run: what it took out is counted below zero.

    Raises:
        SparkifyError: Another run has loaded one of them anew since it was found.
    """

    def change(run_id: int, meta: Meta) -> Change:
        progress(label="removing rows")
        forget(engine, run_id, [file.file_id for file in files], state)
        scope = find_scope(engine)
        ((gone, read, loaded, rejected, plays_loaded, erased),) = (
            map(int, row) for row in engine.execute(statement("ledger/taken_out.sql"))
        )
        refresh = bool(changed_models(meta))
        if refresh:
            scope = Scope.all()
        transform(engine, scope, progress)
        build_own(engine, models, scope, run_id, progress)
        progress(label="checking the data")
        raise_failures(run_checks(engine, scope, run_from=0 if refresh else run_id, models=models))
        if refresh:
            write_meta(engine, meta._replace(models_digest=today().models_digest))
        plays, matched, staged = count_plays(engine, scope)
        taken = (-gone, -read, -loaded, -rejected, -plays_loaded)
        return Change(*taken, staged - plays, plays, matched, -erased)

    return as_run(engine, files, mode, progress, change)


def put_back(engine: Engine, files: Sequence[LedgerFile], progress: ShowProgress) -> RunRecord:
    """Let the next run load retracted files again.

    Returns:
        The record of this run, which changes no row.

    Raises:
        SparkifyError: Another run has loaded one of them since it was found.
    """

    def change(_run_id: int, _meta: Meta) -> Change:
        engine.insert("run_files", ["file_id"], [(file.file_id,) for file in files])
        engine.execute(statement("ledger/supersede.sql"), state="undone")
        return Change()

    return as_run(engine, files, BACK, progress, change)


class Change(NamedTuple):
    """What the history says that a run changed: the counts of its :class:`RunRecord`."""

    files_loaded: int = 0
    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    plays_loaded: int = 0
    duplicates: int = 0
    songplays: int = 0
    plays_matched: int = 0
    rows_erased: int = 0


def as_run(
    engine: Engine,
    files: Sequence[LedgerFile],
    mode: str,
    progress: ShowProgress,
    change: Callable[[int, Meta], Change],
) -> RunRecord:
    """Make a change of files in one transaction, as a run of its own in the history.

    Args:
        engine: The warehouse.
        files: The files, as they were found.
        mode: What the history calls this.
        progress: Told what is done.
        change: Given the number of the run and the version of the warehouse, makes the change.
    """
    started = now()
    unanswered: RunRecord | None = None

    def act() -> RunRecord:
        nonlocal unanswered
        earlier = unanswered
        if earlier and was_committed(engine, earlier):
            return earlier
        engine.prepare()
        with engine.writing():
            meta = prepare_tables(engine)
            if earlier and stands(engine, earlier):
                return earlier  # its COMMIT was still under way when we looked
            _verify(engine, meta, files)
            run_id = latest_run(engine) + 1
            engine.name_run(run_id)
            changed = change(run_id, meta)
            unanswered = RunRecord(
                run_id=run_id,
                mode=mode,
                status="done",
                started_at=started,
                finished_at=now(),
                **changed._asdict(),
                version=__version__,
            )
            record(engine, "etl.runs", [unanswered])
            progress(label="writing the warehouse")
        return unanswered

    try:
        return persist(act, progress)
    except BaseException as exc:
        note_committed(exc, engine, unanswered)
        raise


def _verify(engine: Engine, meta: Meta, files: Sequence[LedgerFile]) -> None:
    """Raise if a file is not any more what it was: somebody was asked about that, and time went by."""
    if not files:
        return
    runs = {file.run_id for file in files}
    current = set(
        files_of_run(engine, meta, runs.pop())
        if len(runs) == 1
        else files_below(engine, meta, common_start([file.uri for file in files]))
    )
    changed = next((file for file in files if file not in current), None)
    if changed:
        raise SparkifyError(
            f"{changed.uri} is not what it was when it was looked up: another run came between.",
            Hint("Nothing was changed. See {}, then say again what to take out.", Command("files")),
        )
