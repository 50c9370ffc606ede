"""Trying again what failed in a way that may pass: whole runs, with growing pauses, a few times.

A connection that is lost takes the run's temporary tables with it, so nothing less than the run is tried
again. One that is lost while COMMIT is answered leaves open whether it was done: the ledger tells.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from sparkify.errors import JUST_COMMITTED, SparkifyError, TransientEngineError
from sparkify.pipeline.progress import ShowProgress
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import RunRecord
from sparkify.warehouse.statements import statement

# Seconds before the second, third … try.
PAUSES = (1.0, 5.0, 20.0, 60.0)

T = TypeVar("T")
_log = logging.getLogger(__name__)


def persist(
    act: Callable[[], T],
    progress: ShowProgress,
    sleep: Callable[[float], None] = time.sleep,
    done: Callable[[], int] = lambda: 0,
) -> T:
    """Return what ``act`` gives, calling it again after a failure that may pass.

    Args:
        act: Does the work, or what is left of it.
        progress: Told of the pauses.
        sleep: Waits so many seconds.
        done: Counts what is done for good; when it grew, the pauses begin anew.

    Raises:
        TransientEngineError: The last one, when it did not pass.
    """
    before, pauses = done(), list(PAUSES)
    while True:
        try:
            return act()
        except TransientEngineError as exc:
            if done() > before:
                before, pauses = done(), list(PAUSES)
            if not pauses:
                raise
            pause = pauses.pop(0)
            _log.warning("%s Trying again in %g s.", exc.message, pause)
            progress(label=f"trying again in {pause:g} s")
            sleep(pause)


def was_committed(engine: Engine, run: RunRecord) -> bool:
    """Tell whether a run whose COMMIT got no answer stands in the ledger."""
    with engine.reading() as exists:
        return exists and "etl.runs" in engine.tables() and stands(engine, run)


def note_committed(exc: BaseException, engine: Engine, unanswered: RunRecord | None) -> None:
    """Note on an interrupt that it came while COMMIT was under way, and too late: the ledger has the run."""
    if unanswered is None or isinstance(exc, SparkifyError):
        return
    with suppress(Exception):
        if was_committed(engine, unanswered):
            exc.add_note(f"run {unanswered.run_id} {JUST_COMMITTED}")


def stands(engine: Engine, run: RunRecord) -> bool:
    """Tell whether a run stands in the ledger; the warehouse must be open."""
    step = statement("ledger/run_stands.sql")
    return bool(engine.execute(step, run_id=run.run_id, started_at=run.started_at))
