"""What the pipeline needs of a database, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sparkify.records import RecordKind
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
class RecordFile:
    """A file of records on the local disk, to land.

    Attributes:
        path: Its place; the suffix tells the compression.
        file_id: Its number; None: packed, every record holds the number of its file
            (:data:`sparkify.records.FILE_KEY`).
        uri: The object of the lake it is; empty for what we wrote.
        accepted: The careful reader has accepted its records: none can need re-reading.
    """

    path: Path
    file_id: int | None = None
    uri: str = ""
    accepted: bool = False


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

    def translate(self, step: Statement) -> str:
        """Return one of our statements in this engine's dialect.

        Raises:
            ModelError: It cannot be written in it.
        """

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

    def land(self, kind: RecordKind, files: Sequence[RecordFile], *, flat: bool = False) -> None:
        """Append records to the run's table of their kind, each with the number of its file.

        Rows that may break a rule of :mod:`sparkify.intake.rules`, or may not be what they seem, are marked
        ``needs_rereading``. A file may also be left out, whole; the counts of its rows show it.

        Args:
            kind: The kind of the records.
            files: Files as delivered, or one of packed records.
            flat: Values are texts, digits and null, and nothing else.

        Raises:
            LoadError: They are not JSON as it should be; nothing was appended. ``uri`` is the number of a
                file where the engine knows which.
        """

    def accept(self, kind: RecordKind) -> None:
        """Move what has landed into staging; the warehouse must be open for writing."""

    def survey(self, kind: RecordKind, paths: Sequence[Path]) -> Rows:
        """Return every path, key and how often it occurs in that file of JSON lines.

        The key None counts records that need re-reading.
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
