"""The interface between the pipeline and a database engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from sparkify.records import KINDS, RecordKind
from sparkify.warehouse.statements import Statement

Rows = list[tuple[Any, ...]]
# A context entered with the holder's name when a wait takes long enough to be noticed; left when it ends.
OnWait = Callable[[str], AbstractContextManager[object]]


class Answer(NamedTuple):
    """The rows of a query, read as they are needed."""

    columns: list[str]
    rows: Iterator[tuple[Any, ...]]


# The hint of a :class:`LoadError` about a whole file.
AGAIN = "The file will be read record by record."


class RecordFile(NamedTuple):
    """A file of records on the local disk, to land.

    Attributes:
        path: Path on the local disk; the suffix gives the compression.
        file_id: Number of the file; None for packed records, where each record holds its file's number
            (:data:`sparkify.records.FILE_KEY`).
        uri: The object of the lake; empty for a file that this process wrote.
        accepted: Whether our rules have accepted every record already; then none needs re-reading.
        size: The bytes of a file as delivered, as it is stored.
    """

    path: Path
    file_id: int | None = None
    uri: str = ""
    accepted: bool = False
    size: int = 0


class Judged(NamedTuple):
    """What the records of a file hold, where the engine reads each of them by our rules as it lands them.

    Attributes:
        values: Values of fields with a column, adopted ones too, that should not be null in the table.
        extras: Records with a value in ``extra``.
        others: The fields without a column, with their occurrences; those that are null, too.
    """

    values: int
    extras: int
    others: Counter[str]


class ProbeStep(NamedTuple):
    """One test of an engine before a run; ``attempt`` returns its result or raises a run's error."""

    name: str
    attempt: Callable[[], str]


class Engine(Protocol):
    """A database that runs our statements.

    A run first *reads* (what is loaded already), then *lands* its files in temporary tables, then *writes*
    in one transaction. An engine that locks the whole warehouse holds the lock for the last part only.
    """

    name: str
    # The warehouse's name for messages: its file, or the database and its host.
    place: str
    # Whether the engine reads the lake's objects itself: they must not change after this process read them.
    reads_lake: bool
    # Whether it parses files itself: then `land` may be told that they are flat, and which others to keep.
    parses: bool

    @property
    def batch_bytes(self) -> tuple[int, int]:
        """About how many bytes of plain files a run's first transaction should take in, and later ones."""

    @property
    def statements_sent(self) -> int:
        """Number of statements sent over a network so far; 0 for an embedded engine."""

    def probe(self, schemas: Collection[str] = ()) -> Sequence[ProbeStep]:
        """Return tests of the way to the warehouse, in order; each assumes that the earlier ones passed.

        The tests change nothing.

        Args:
            schemas: Those in which the user's own models are made.
        """

    def interrupt(self) -> None:
        """End the statement under way with an error; called from another thread, at any time.

        Do nothing where a signal itself wakes whoever waits for the answer.
        """

    def share_done(self) -> float | None:
        """Return how much of the statement under way is done, from 0 to 1; None if the engine cannot tell.

        Called from another thread, at any time.
        """

    def recover(self) -> None:
        """Complete or clean up after a killed process; do nothing while another process uses it."""

    def name_run(self, run_id: int) -> None:
        """Have the database's own history show that the statements from now on are of this run."""

    def analyze(self, tables: Collection[str]) -> None:
        """Renew the planner's statistics of tables that have changed much, outside of a transaction.

        Tables that only their owner may analyse are passed over, if that is somebody else. Do nothing where
        the database keeps its statistics itself.

        Args:
            tables: Those of the run, by name, and those of the warehouse, as ``tables`` names them.

        Raises:
            TransientEngineError: The connection was lost, and the run's tables with it.
        """

    def prepare(self, kinds: Sequence[RecordKind] = KINDS) -> None:
        """Create the run's temporary tables (:func:`sparkify.warehouse.tables.run_tables`), empty.

        Args:
            kinds: What the records are made of in this warehouse.
        """

    def reading(self) -> AbstractContextManager[bool]:
        """Open the warehouse for reading; yields False when there is none yet.

        Raises:
            WarehouseLocked: Another process holds it.
        """

    def writing(self) -> AbstractContextManager[None]:
        """Open the warehouse for writing, in one transaction: committed at the end, or rolled back.

        Raises:
            WarehouseLocked: Another process holds it.
            TransientEngineError: Another run created the warehouse at the same time.
        """

    def use_all_memory(self) -> None:
        """Let the transaction under way have all the memory that the process may take.

        Told before much of the warehouse is computed anew, whatever has landed. Do nothing where the database
        is another process.
        """

    def tables(self) -> set[str]:
        """Return the existing tables' names, in the form of :func:`sparkify.warehouse.tables.names`."""

    def translate(self, step: Statement) -> str:
        """Return one of our statements in this engine's dialect.

        Raises:
            ModelError: The statement cannot be translated.
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

    def holding(
        self, views: Collection[str], queries: Iterable[Statement], **parameters: Any
    ) -> AbstractContextManager[bool]:
        """Compute what many queries read once, and keep it in memory until the end of the context.

        The warehouse must be open for reading. Inside, each view's name stands for its rows, for the views
        that stand on it too, and the name of each query's file for the query's.

        Yields:
            Whether the engine does so; one that does not leaves all names as they are.

        Raises:
            EngineError: The database refused.
        """

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Append rows to a table, many at once."""

    def keys_read(self, kind: RecordKind) -> frozenset[str]:
        """Return the keys of which :meth:`land` reads the values from files as delivered, without being told.

        Those of all built-in fields, and of such adopted ones as the engine reads exactly as our rules do.
        """

    def land(
        self, kind: RecordKind, files: Sequence[RecordFile], *, flat: bool = False, others: Sequence[str] = ()
    ) -> Mapping[int, Judged]:
        """Append records to the run's table of their kind, each with the number of its file.

        Rows that may break a rule of :mod:`sparkify.intake.rules`, or that the database may have read
        differently than our rules do, are marked ``needs_rereading``. An engine may also skip a whole file;
        the pipeline sees that from the counts of its rows.

        Args:
            kind: The kind of the records.
            files: Files as delivered, or one of packed records.
            flat: Whether every value is a string, a number in plain digits, or null; told where the engine
                parses.
            others: The keys in delivered files that are none of :meth:`keys_read`, in the order of their
                names: their values are to be kept in ``extra`` (:mod:`sparkify.intake.extra`). None where the
                engine does not parse.

        Returns:
            What delivered files hold, by their numbers, where the engine reads records by our rules. Where it
            is not sure of a record, rows are marked, or fewer have landed.

        Raises:
            LoadError: A file is not valid JSON, or the engine cannot keep the others; nothing was appended.
                ``uri`` is the number of the file, if the engine knows it.
        """

    def accept(self, kind: RecordKind) -> None:
        """Move the landed records into staging; the warehouse must be open for writing."""

    def survey(self, kind: RecordKind, paths: Sequence[Path]) -> Rows:
        """Return (path, key, count) for every key in every file of JSON lines.

        The key None counts records that need re-reading.
        """

    def query(self, sql: str) -> Answer:
        """Run a user's read-only SQL, in the engine's own dialect.

        Raises:
            EngineError: The database refused.
        """

    def write_parquet(self, sql: str, path: Path) -> int:
        """Write the result of a user's read-only SQL to a Parquet file; return the number of rows.

        Raises:
            EngineError: The database refused, or the file cannot be written.
        """

    def write_file(self, sql: str, path: Path, form: str) -> int:
        """Write the result of a statement of ours to a new file; return the number of rows.

        Args:
            sql: A SELECT in words that every engine knows.
            path: The file.
            form: ``parquet``, or ``csv``: with a header, NULL as nothing, times in ISO 8601.

        Raises:
            EngineError: The database refused, or the file cannot be written.
        """

    def add_table(self, sql: str, path: Path, name: str) -> int:
        """Write the result of a statement of ours to a new table of a DuckDB file; return the number of rows.

        Args:
            sql: A SELECT in words that every engine knows.
            path: The file; made if it is not there, in the format of a new warehouse.
            name: The table's name, with its schema if that is not the default one.

        Raises:
            EngineError: The database refused, or the file cannot be written.
        """

    def close(self) -> None:
        """Close connections and remove temporary files."""
