"""Trying again what failed in a way that may pass: whole runs, with growing pauses, a few times.

A connection that is lost takes the run's temporary tables with it, so nothing less than the run is tried
again. One that is lost while COMMIT is answered leaves open whether it was done: the ledger tells.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sparkify.errors import TransientEngineError
from sparkify.pipeline.checks import CheckResult
from sparkify.pipeline.progress import ShowProgress
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import RunRecord
from sparkify.warehouse.statements import statement

# Seconds before the second, third … try.
PAUSES = (1.0, 5.0, 20.0, 60.0)

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Attempt:
    """What a try was about to commit; None: nothing yet."""

    run: RunRecord | None = None
    checks: list[CheckResult] = field(default_factory=list)

    def committed(self, engine: Engine) -> RunRecord | None:
        """Return the run if it stands in the ledger after all, and forget it."""
        run = self.run
        if run is None:
            return None
        with engine.reading() as exists:
            found = exists and "etl.runs" in engine.tables() and stands(engine, run)
        self.run = None
        return run if found else None


def stands(engine: Engine, run: RunRecord) -> bool:
    """Tell whether a run stands in the ledger; the warehouse must be open."""
    step = statement("ledger/run_stands.sql")
    return bool(engine.execute(step, run_id=run.run_id, started_at=run.started_at))


def persist(act: Callable[[], T], progress: ShowProgress, sleep: Callable[[float], None] = time.sleep) -> T:
    """Return what ``act`` gives, calling it again after a failure that may pass.

    Raises:
        TransientEngineError: The last one, when it did not pass.
    """
    for pause in PAUSES:
        try:
            return act()
        except TransientEngineError as exc:
            _log.warning("%s Trying again in %g s.", exc.message, pause)
            progress(label=f"trying again in {pause:g} s")
            sleep(pause)
    return act()
