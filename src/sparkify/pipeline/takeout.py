"""Rows out of the warehouse again: one file (retract), or the files of a run (undo)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sparkify import __version__
from sparkify.errors import SparkifyError
from sparkify.pipeline.check import raise_failures, run_checks
from sparkify.pipeline.progress import ShowProgress
from sparkify.pipeline.retry import Attempt, persist, stands
from sparkify.pipeline.scope import Scope
from sparkify.pipeline.stage import forget
from sparkify.pipeline.transform import transform
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import RunRecord, latest_run, read_ledger, record
from sparkify.warehouse.statements import statement


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


def find_files_of_run(engine: Engine, run_id: int) -> dict[int, str]:
    """Return the files a run loaded that are still in the warehouse, by their numbers.

    Raises:
        SparkifyError: There are none.
    """
    found: dict[int, str] = {}
    with engine.reading() as exists:
        if exists and engine.has_table("etl", "files"):
            found = dict(engine.execute(statement("ledger/files_of_run.sql"), run_id=run_id))
    if not found:
        raise SparkifyError(
            f"run {run_id} has no rows in the warehouse.",
            "It failed, changed no files, or its files were replaced since; see `sparkify runs`.",
        )
    return found


def take_out(engine: Engine, files: Mapping[int, str], state: str, progress: ShowProgress) -> RunRecord:
    """Take files' rows out, in one transaction, and bring the star up to date.

    Args:
        engine: The warehouse.
        files: The files by number.
        state: What becomes of them in the ledger: ``retracted`` (stays out) or ``undone`` (the next run
            loads it again, if the lake still has it).
        progress: Told what is done.

    Returns:
        The record of this run.
    """
    started = datetime.now(UTC).replace(tzinfo=None)
    attempt = Attempt()

    def act() -> RunRecord:
        unanswered = attempt.run
        done = attempt.committed(engine)
        return done or _take_out(engine, files, state, progress, started, attempt, unanswered)

    return persist(act, progress)


def _take_out(
    engine: Engine,
    files: Mapping[int, str],
    state: str,
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
        transform(engine, scope, progress, full_refresh=False)
        raise_failures(run_checks(engine, scope, run_from=run_id))
        ((plays, matched, staged),) = engine.execute(
            statement("ledger/star_totals.sql"), **scope.parameters()
        )
        run = RunRecord(
            run_id=run_id,
            mode="retract" if state == "retracted" else "undo",
            status="done",
            started_at=started,
            finished_at=datetime.now(UTC).replace(tzinfo=None),
            files_loaded=0,
            rows_read=0,
            rows_loaded=0,
            rows_rejected=0,
            plays_loaded=0,
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
