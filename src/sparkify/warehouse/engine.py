"""What the pipeline needs of a database, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sparkify.warehouse.statements import Statement

Rows = list[tuple[Any, ...]]
# Told who holds the warehouse when a wait is long enough to be noticed; left when the wait is over.
OnWait = Callable[[str], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a query, read as they are needed."""

    columns: list[str]
    rows: Iterator[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log file to land.

    Attributes:
        path: Its contents on the local disk; the suffix tells the compression.
        file_id: Its number.
        uri: The object of the lake they are; None for records of our own writing.
    """

    path: Path
    file_id: int
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class ProbeStep:
    """One thing an engine can try before a run; ``attempt`` tells what it found, or raises a run's error."""

    name: str
    attempt: Callable[[], str]


class Engine(Protocol):
    """A database that runs our statements.

    A run first *reads* (what is loaded already), then *lands* its files in temporary tables, then *writes*
    in one transaction. An engine that locks the whole warehouse holds the lock for the last part only.
    """

    name: str
    # The warehouse as a person would name it: its file, or the database and its host.
    place: str
    # It reads the objects of the lake itself: what was read here before must be what it reads later.
    reads_lake: bool

    @property
    def statements_sent(self) -> int:
        """How many statements went over a network so far; 0 where there is none."""

    def probe(self) -> Sequence[ProbeStep]:
        """Return what can be tried of the way into the warehouse, each step on the ground of those before.

        Nothing is changed by any of them.
        """

    def recover(self) -> None:
        """Finish what a killed process left undone; do nothing where another process is at work."""

    def prepare(self) -> None:
        """Make the run's own tables (:func:`sparkify.warehouse.tables.run_tables`), empty."""

    def reading(self) -> AbstractContextManager[bool]:
        """Open the warehouse for reading; yields False when there is none yet.

        Raises:
            WarehouseLocked: Another process holds it.
        """

    def writing(self) -> AbstractContextManager[None]:
        """Open the warehouse for writing, in one transaction: committed at the end, or rolled back.

        Raises:
            WarehouseLocked: Another process holds it.
            TransientEngineError: Another run has made the warehouse while we did.
        """

    def tables(self) -> set[str]:
        """Return which tables there are, as :func:`sparkify.warehouse.tables.names` names them."""

    def execute(self, step: Statement, **parameters: Any) -> Rows:
        """Run one of our statements with the parameters it uses; return its rows.

        Raises:
            EngineError: The database refused.
        """

    def ask(self, step: Statement, **parameters: Any) -> Answer:
        """Run one of our queries; return its rows with their columns' names.

        Raises:
            EngineError: The database refused.
        """

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Append rows to a table, many at once."""

    def land_events(self, files: Sequence[LogFile], *, plain: bool) -> None:
        """Append log files to ``run_events``, each with its file_id.

        ``plain`` says that values are texts, digits and null, and nothing else.

        Rows that may break a rule of :mod:`sparkify.intake.rules` are marked ``suspect``. A file may also
        be left out, whole; the counts of its rows show it.

        Raises:
            LoadError: A file is not JSON lines as they should be; nothing was appended. ``uri`` is the file's
                number where the engine knows which.
        """

    def accept_events(self) -> None:
        """Move what has landed in ``run_events`` into staging; the warehouse must be open for writing."""

    def land_songs(self, packed: Path, file_key: str, *, accepted: bool = False) -> None:
        """Append packed song records, whose ``file_key`` holds the file_id, to ``run_songs``.

        ``accepted`` says that they have been read carefully: no value is in doubt.

        Raises:
            LoadError: A record is not JSON as it should be; nothing was appended.
        """

    def survey(self, paths: Sequence[Path]) -> Rows:
        """Return every path, key and how often it occurs in that file of JSON lines.

        The key None counts lines that want a closer look.
        """

    def query(self, sql: str) -> Answer:
        """Run a person's own read-only SQL, in the engine's own dialect.

        Raises:
            EngineError: The database refused.
        """

    def write_parquet(self, sql: str, path: Path) -> int:
        """Write what a person's own read-only SQL gives to a Parquet file; return how many rows that is.

        Raises:
            EngineError: The database refused, or the file cannot be written.
        """

    def close(self) -> None:
        """Let go of everything."""
