"""What a run would send, written down instead, by an engine that answers as if all were well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, Self

from sparkify.warehouse.engine import Engine, Rows
from sparkify.warehouse.tables import STAGING, STAR


class Told(int):
    """A number that only the files tell: 0, and the name of its variable in a script that can be run."""

    name: str

    def __new__(cls, name: str) -> Self:
        told = super().__new__(cls, 0)
        told.name = name
        return told


# The first and the last time of a run's events.
TS_FROM, TS_TO = Told("ts_from"), Told("ts_to")


@dataclass(frozen=True, slots=True)
class SongFile:
    """A file of songs that is not read; ``size`` in bytes."""

    uri: str
    file_id: int
    size: int


class Script(Engine, Protocol):
    """An engine that keeps the statements it is given."""

    @property
    def head(self) -> list[str]:
        """What there is to know of the statements, line by line."""

    @property
    def statements(self) -> list[str]:
        """The statements so far."""

    def land_song_files(self, files: Sequence[SongFile]) -> None:
        """Append songs to ``run_songs``, one record a file."""


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
            "ledger/removed_range.sql": [(TS_FROM, TS_TO)],
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
