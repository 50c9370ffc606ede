"""Faults to order: what goes wrong, at which statement.

Owns the list of armed faults and the choice of one. The session makes them happen.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Literal

FaultKind = Literal[
    "serialization",
    "snapshot_conflict",
    "relation_gone",
    "drop_before",
    "drop_after",
    "refuse",
    "slow",
    "hang",
]


@dataclass
class Fault:
    """One thing that goes wrong.

    Args:
        kind: Instead of executing, `serialization`: error 1023; `snapshot_conflict`: what SNAPSHOT isolation
            says in its place; `relation_gone`: error 1018, a table was made anew by another transaction;
            `refuse`: `message` with `code`. `drop_before`, `drop_after`: the connection is cut just before,
            or just after, the statement ran, without an answer. `slow`: `seconds` more than it would take,
            within statement_timeout. `hang`: no answer for as long as the client waits.
        at: The statement it happens at: the n-th to be executed, from 1, after the faults were armed. BEGIN,
            COMMIT and ROLLBACK count.
        match: Instead of `at`, or with it: a regular expression to be found in the statement.
        times: How often it happens before it is spent.
        code: SQLSTATE of `refuse`.
        message: Words of `refuse`.
        seconds: Length of `slow`.
    """

    kind: FaultKind
    at: int | None = None
    match: str | None = None
    times: int = 1
    code: str = "XX000"
    message: str = "refused by the test"
    seconds: float = 0.0


class Faults:
    """The armed faults of one stand-in, shared by its sessions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[Fault] = []
        self._count = 0

    def arm(self, *faults: Fault) -> None:
        """Replace whatever is armed and count statements from 1 again."""
        with self._lock:
            self._armed = list(faults)
            self._count = 0

    def clear(self) -> None:
        self.arm()

    @property
    def armed(self) -> int:
        """Faults that have not happened as often as they were to."""
        with self._lock:
            return len(self._armed)

    @property
    def count(self) -> int:
        """Statements executed since the last `arm` or `clear`."""
        with self._lock:
            return self._count

    def next(self, sql: str) -> Fault | None:
        """Count one statement; the fault that hits it, if any."""
        with self._lock:
            self._count += 1
            for fault in self._armed:
                hit = fault.at is None or fault.at == self._count
                if hit and (fault.match is None or re.search(fault.match, sql, re.IGNORECASE)):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._armed.remove(fault)
                    return fault
            return None
