"""What a run would send, written down instead, by an engine that answers as if all were well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from sparkify.warehouse.engine import Engine, Rows
from sparkify.warehouse.tables import STAGING, STAR


class Script(Engine, Protocol):
    """An engine that keeps the statements it is given."""

    @property
    def statements(self) -> list[str]:
        """The statements so far."""


class Answers:
    """The answers of a warehouse in which nothing is wrong.

    Args:
        latest_run: The run it is asked after.
        exists: Whether its tables are there.
    """

    def __init__(self, *, latest_run: int, exists: bool) -> None:
        self.exists = exists
        self._rows: dict[str, Rows] = {
            "ledger/latest_run.sql": [(latest_run,)],
            "ledger/star_totals.sql": [(0, 0, 0)],
            "ledger/removed_range.sql": [(None, None)],
            "tables/count_rows.sql": [(name, 0) for name in STAGING + STAR],
        }

    def publish(self) -> None:
        """Have a run published: its tables are there, and it is the latest."""
        self.exists = True
        ((latest,),) = self._rows["ledger/latest_run.sql"]
        self._rows["ledger/latest_run.sql"] = [(latest + 1,)]

    def to(self, path: str) -> Rows:
        """Return the rows one of our statements would give."""
        return self._rows.get(path, [])


@contextmanager
def between(statements: list[str], first: str, last: str) -> Iterator[Any]:
    """Write down what begins and what ends a transaction."""
    statements.append(first)
    yield True
    statements.append(last)
