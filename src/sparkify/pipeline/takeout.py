"""Rows out of the warehouse again: one file (retract), or the files of a run (undo)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sparkify import __version__
from sparkify.errors import SparkifyError
from sparkify.pipeline.check import raise_failures, run_checks
from sparkify.pipeline.progress import ShowProgress
from sparkify.pipeline.retry import Attempt, persist, stands
from sparkify.pipeline.scope import Scope
from sparkify.pipeline.stage import forget
from sparkify.pipeline.transform import transform
from sparkify.warehouse.connect import require
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import RunRecord, latest_run, read_ledger, record
from sparkify.warehouse.statements import statement
from sparkify.wording import counted

# What the history calls these runs; the number of the run that was undone follows.
UNDO = "undo"
RETRACT = "retract"


def find_file(engine: Engine, uri: str, state: str) -> dict[int, str]:
    """Return the file of that URI by its number, if the ledger has it in that state.

    Raises:
        SparkifyError: The ledger has no such file.
    """
    files = read_ledger(engine).files
    found = {file.file_id: file.uri for file in files if file.uri == uri and file.state == state}
    if not found:
        raise SparkifyError(f"{uri} is not {state}.", "Name a file as `sparkify files` shows it.")
    return found


@dataclass(frozen=True, slots=True)
class FilesOfRun:
    """The files a run loaded that are still in the warehouse, by number; if none are, a sentence why."""

    files: dict[int, str]
    why_none: str = ""


def find_files_of_run(engine: Engine, run_id: int) -> FilesOfRun:
    """Return what there is to undo of a run.

    Raises:
        EngineError: There is no warehouse.
        SparkifyError: There is no such run, or it took files out instead of loading them.
    """
    with engine.reading() as exists:
        require(engine, exists=exists)
        run = engine.execute(statement("ledger/find_run.sql"), run_id=run_id)
        latest = latest_run(engine)
        files = engine.execute(statement("ledger/files_of_run.sql"), run_id=run_id)
    if not run:
        raise SparkifyError(
            f"there is no run {run_id}: "
            + (f"the latest is run {latest}." if latest else "none was made yet."),
            "`sparkify runs` lists them.",
        )
    ((mode, status),) = run
    if mode.startswith(UNDO):
        raise SparkifyError(
            f"run {run_id} loaded nothing: it took the files of another run out ({mode}).",
            "`sparkify etl` loads those files again, if the lake still has them.",
        )
    if mode == RETRACT:
        raise SparkifyError(
            f"run {run_id} loaded nothing: it took a file out (retract).",
            "`sparkify retract --back URI` lets the file in again; `sparkify files` names it.",
        )
    loaded = {number: uri for number, uri, state in files if state == "loaded"}
    if loaded:
        return FilesOfRun(loaded)
    return FilesOfRun({}, _why_none(run_id, status, Counter(state for _, _, state in files)))


def _why_none(run_id: int, status: str, states: Counter[str]) -> str:
    if status == "failed":
        return f"run {run_id} failed, and published nothing."
    if not states:
        return f"run {run_id} loaded no files, it computed the star anew."
    if set(states) == {"undone"}:
        return f"run {run_id} was undone already; `sparkify etl` loads its files again."
    since = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
    return f"no rows of run {run_id} are left ({counted(states.total(), 'file')}: {since})."


def take_out(
    engine: Engine, files: Mapping[int, str], state: str, mode: str, progress: ShowProgress
) -> RunRecord:
    """Take files' rows out, in one transaction, and bring the star up to date.

    Args:
        engine: The warehouse.
        files: The files by number.
        state: What becomes of them in the ledger: ``retracted`` (stays out) or ``undone`` (the next run
            loads it again, if the lake still has it).
        mode: What the history calls this: :data:`RETRACT`, or :data:`UNDO` and the run's number.
        progress: Told what is done.

    Returns:
        The record of this run: what it took out is counted below zero.
    """
    started = datetime.now(UTC).replace(tzinfo=None)
    attempt = Attempt()

    def act() -> RunRecord:
        unanswered = attempt.run
        done = attempt.committed(engine)
        return done or _take_out(engine, files, state, mode, progress, started, attempt, unanswered)

    return persist(act, progress)


def _take_out(
    engine: Engine,
    files: Mapping[int, str],
    state: str,
    mode: str,
    progress: ShowProgress,
    started: datetime,
    attempt: Attempt,
    unanswered: RunRecord | None,
) -> RunRecord:
    engine.prepare()
    with engine.writing():
        if unanswered and stands(engine, unanswered):
            return unanswered  # its COMMIT was still under way when we looked
        run_id = latest_run(engine) + 1
        scope = forget(engine, list(files), Scope(), state)
        ((gone, read, loaded, rejected, plays_loaded),) = (
            map(int, row) for row in engine.execute(statement("ledger/taken_out.sql"))
        )
        transform(engine, scope, progress, full_refresh=False)
        raise_failures(run_checks(engine, scope, run_from=run_id))
        ((plays, matched, staged),) = engine.execute(
            statement("ledger/star_totals.sql"), **scope.parameters()
        )
        run = RunRecord(
            run_id=run_id,
            mode=mode,
            status="done",
            started_at=started,
            finished_at=datetime.now(UTC).replace(tzinfo=None),
            files_loaded=-gone,
            rows_read=-read,
            rows_loaded=-loaded,
            rows_rejected=-rejected,
            plays_loaded=-plays_loaded,
            duplicates=staged - plays,
            songplays=plays,
            plays_matched=matched,
            version=__version__,
        )
        record(engine, "etl.runs", [run])
        attempt.run = run
    return run


def put_back(engine: Engine, files: Mapping[int, str]) -> None:
    """Let the next run load retracted files again."""
    engine.prepare()
    with engine.writing():
        engine.insert("run_files", ["file_id"], [(number,) for number in files])
        engine.execute(statement("ledger/supersede.sql"), state="undone")
