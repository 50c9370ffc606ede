"""The embedded engine: one DuckDB file, attached read-only for reading and read-write for writing.

The connection itself is in memory and holds the run's temporary tables, so a run parses its files without
any lock on the warehouse; readers are locked out only while it writes. The very first run builds the
warehouse under a temporary name (:mod:`sparkify.warehouse.duckdb.new_file`) and lands the records of large
files directly in that file.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, NoReturn

import duckdb

from sparkify.errors import EngineError, LoadError, TransientEngineError, WarehouseLocked
from sparkify.records import KINDS, RecordKind
from sparkify.tempfiles import TemporaryFolder
from sparkify.text import counted
from sparkify.warehouse.derived import statements_of
from sparkify.warehouse.duckdb.duckdb_errors import THE_QUERY, explain
from sparkify.warehouse.duckdb.functions import MACROS
from sparkify.warehouse.duckdb.holder import find_holder
from sparkify.warehouse.duckdb.new_file import STORAGE_VERSION, NewFile, remove_leftovers
from sparkify.warehouse.duckdb.parquet import COPY_OPTIONS, add_table, run_write
from sparkify.warehouse.duckdb.parsing import (
    fields_read,
    files_sql,
    listed,
    literal,
    load_error,
    may_be_columns,
    packed_sql,
    survey_sql,
)
from sparkify.warehouse.duckdb.translation import to_duckdb
from sparkify.warehouse.engine import AGAIN, Answer, Judged, OnWait, ProbeStep, RecordFile, Rows
from sparkify.warehouse.statements import Statement
from sparkify.warehouse.tables import clear_run_tables, run_tables
from sparkify.warehouse.version import OnOlder, ignore_older, verify_open
from sparkify.warehouse.views import SCHEMA, view_definitions

_RETRY_EVERY = 0.05
# Settings of every connection.
SET_UP = (
    # Rows of staging have no order; preserving the order of the files would cost a quarter of the load.
    "SET preserve_insertion_order = false",
    # Rows are written in groups of 122,880. Groups five times as large would give a slightly better layout on
    # disk, at the cost of a twentieth of the load.
    "SET write_buffer_row_group_count = 1",
    "SET TimeZone = 'UTC'",
    # It is counted, for `share_done`, and not shown by DuckDB itself.
    "SET enable_progress_bar = true",
    "SET enable_progress_bar_print = false",
    *MACROS,
)
# What the process takes beside what DuckDB counts: so many bytes for Python and our own buffers, and a share
# for DuckDB's allocator: under a limit of 1.8 GB the process was seen to take 2.1.
_OURS = 150_000_000
_ALLOCATOR = 0.15
# What reading JSON takes in each thread, twice 32 MB at worst: with less, a load ran out of memory.
_OF_A_THREAD = 70_000_000
_MOST_USUAL = 2_000_000_000
# What DuckDB gets for publishing: so many bytes, and so many times what the run's own tables take. It would
# fill all it may have with pages of the warehouse: one song into 50 million events took 1.7 GB.
_TO_PUBLISH = 300_000_000
_OF_TABLES = 3
# Rows that a statement reads or writes for which it pays to ask again how large these tables are.
_MANY = 100_000


def usual_memory() -> int:
    """Return the bytes that a process may take if nobody says: a quarter of the machine's, 2 GB at most."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(min(machine // 4, _MOST_USUAL), 2 * _OURS)


class DuckDBEngine:
    """A warehouse in one DuckDB file.

    Args:
        path: The file; created by the first run.
        memory: Bytes the process may take; None: :func:`usual_memory`.
        wait: Seconds to wait for another process that holds the file.
        on_wait: Context entered with the holder's name after one second of waiting; left when the wait ends.
        on_older: Called when a warehouse opened for reading has an older version.
    """

    name = "duckdb"
    reads_lake = False
    parses = True
    statements_sent = 0

    def __init__(
        self,
        path: Path,
        *,
        memory: int | None = None,
        wait: float = 30.0,
        on_wait: OnWait = nullcontext,
        on_older: OnOlder = ignore_older,
    ) -> None:
        self.path = path
        self.place = str(path)
        self.memory = usual_memory() if memory is None else memory
        self._wait = wait
        self._on_wait = on_wait
        self._on_older = on_older
        self._verified = False
        # Whether publishing gets less than all memory; not any more when that was too little once.
        self._may_spare = True
        self._new: NewFile | None = None
        # Whether records land in the new file; if the warehouse exists, they land in temporary tables.
        self._lands_in_new_file = False
        self._detaching = False
        # The connection that has the run's tables, and for which kinds.
        self._prepared: tuple[duckdb.DuckDBPyConnection | None, Sequence[RecordKind]] = (None, ())
        try:
            self._spill = TemporaryFolder()
        except OSError as exc:
            raise EngineError(
                "there is no folder for temporary files that may be written.",
                "Make room on the disk, or name a folder with TMPDIR.",
            ) from exc
        try:
            self._connection = self._connect()
        except BaseException:
            self._spill.remove()
            raise

    @property
    def batch_bytes(self) -> tuple[int, int]:
        # Into a new file records land at once. Else they land in memory first, where they take twice their
        # bytes and more: in batches three times as large a year of 53 million events took a quarter longer.
        later = self.memory * 3 // 5
        return later if self.path.exists() else 2 * self.memory, later

    def _connect(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(":memory:")
        for sql in SET_UP:
            connection.execute(sql)
        ((self._processors,),) = connection.execute("SELECT current_setting('threads')").fetchall()
        # DuckDB writes data that does not fit in memory there, not into the current folder.
        connection.execute(f"SET temp_directory = {literal(str(self._spill.path))}")
        self._given = self._all_memory
        for sql in self._limits():
            connection.execute(sql)
        return connection

    @property
    def _all_memory(self) -> int:
        """The bytes that DuckDB may have."""
        return int(self.memory * (1 - _ALLOCATOR)) - _OURS

    @property
    def _is_spared(self) -> bool:
        """Whether DuckDB has less than it may have."""
        return self._given < self._all_memory

    def _limits(self) -> Sequence[str]:
        """Return what tells DuckDB how much memory it has, and how many threads can work with that."""
        threads = max(1, min(self._given // _OF_A_THREAD, self._processors))
        return [f"SET memory_limit = '{self._given // 1000} KB'", f"SET threads = {threads}"]

    def _give(self, memory: int) -> None:
        """Let DuckDB have so many bytes, or as many as it may have."""
        memory = min(memory, self._all_memory)
        if memory != self._given:
            self._given = memory
            for sql in self._limits():
                self._run(sql)

    def _needed(self) -> int:
        """Return the bytes that publishing needs, by what the run's own tables take now."""
        ((held,),) = self._run(
            "SELECT memory_usage_bytes + temporary_storage_bytes FROM duckdb_memory() "
            "WHERE tag = 'IN_MEMORY_TABLE'"
        ).fetchall()
        return _TO_PUBLISH + _OF_TABLES * int(held)

    def use_all_memory(self) -> None:
        self._give(self._all_memory)

    def probe(self, schemas: Collection[str] = ()) -> Sequence[ProbeStep]:
        return [ProbeStep("database", self._try_file)]

    def _try_file(self) -> str:
        """Open the warehouse as the start of a run does, and test whether it can be written."""
        with self.reading() as exists:
            if not exists:
                self._begin_new()  # in the folder of the warehouse, under a temporary name
                self._abandon()
                return f"{self.path}, made by the first run"
            # DuckDB writes its write-ahead log beside the file.
            for place in (self.path, self.path.parent):
                if not os.access(place, os.W_OK):
                    self._fail(PermissionError(errno.EACCES, "it is read-only"), str(self.path))
            return f"{self.path}, {self.path.stat().st_size / 1e6:,.1f} MB"

    def interrupt(self) -> None:
        with suppress(duckdb.Error):  # it is closed
            self._connection.interrupt()

    def share_done(self) -> float | None:
        try:
            percent = self._connection.query_progress()
        except duckdb.Error:  # it is closed
            return None
        return percent / 100 if percent >= 0 else None

    def recover(self) -> None:
        remove_leftovers(self.path)
        # A process killed after its commit leaves the write-ahead log; opening for writing applies it.
        if self.path.with_name(self.path.name + ".wal").exists():
            with suppress(WarehouseLocked):
                self._attach("READ_WRITE", wait=False)
                self._let_go()

    def name_run(self, run_id: int) -> None:
        """Do nothing: there is no history of statements."""

    def analyze(self, tables: Collection[str]) -> None:
        """Do nothing: DuckDB keeps its statistics as it writes."""

    def prepare(self, kinds: Sequence[RecordKind] = KINDS) -> None:
        if self._new is None and not self.path.exists():
            self._begin_new()
        self._lands_in_new_file = self._new is not None
        connection, before = self._prepared
        again = connection is self._connection
        if again and before != kinds:  # with other columns
            for kind in kinds:
                self._run(f"DROP TABLE IF EXISTS {kind.landing}")
        inside = {statements_of(kind).run_table for kind in kinds if self._lands_inside(kind)}
        for step in run_tables(kinds):
            sql = to_duckdb(step)
            if step in inside:
                sql = sql.replace("TEMPORARY ", "", 1)  # see accept
            self._run(sql)
        if again:
            for step in clear_run_tables():
                self._run(to_duckdb(step))
        self._prepared = self._connection, kinds

    @contextmanager
    def reading(self) -> Iterator[bool]:
        if self._new:
            self._abandon()  # another run has published, so the landed rows are discarded
        if not self.path.exists():
            yield False
            return
        self._attach("READ_ONLY")
        try:
            if not self._verified:
                verify_open(self, self._on_older)
                self._verified = True
            yield True
        finally:
            self._detach()

    @contextmanager
    def writing(self) -> Iterator[None]:
        if self._new is None:
            if self.path.exists():
                self._attach("READ_WRITE")
            else:
                self._begin_new()
        try:
            if self._may_spare and not self._new:
                self._give(self._needed())
            self._run("BEGIN")
            yield
            if self._new:
                for kind in KINDS:
                    self._run(f"DROP TABLE IF EXISTS {kind.landing}")  # landed, and not accepted
            self._run("COMMIT")
            if self._new:
                self._run("CHECKPOINT warehouse")  # a write-ahead log of this name would not be found again
        except BaseException:
            self._abandon()
            raise
        if self._new:
            self._publish_new(self._new)
        else:
            # Committed rows are at least in the write-ahead log beside the file; the next open applies it.
            self._let_go()

    def compact(self) -> None:
        """Write the warehouse anew, without the space and the bytes of what is gone, and put it in its place.

        Raises:
            EngineError: The warehouse is held by another process, or there is no room for a second file; it
                stays as it is.
        """
        self._attach("READ_WRITE")
        try:
            remove_leftovers(self.path)
            self._run("CHECKPOINT warehouse")
            new = NewFile(self.path)
            try:
                self._copy_into(new)
                # The lock on the old file is held until it has no name any more.
                new.replace()
            except OSError as exc:
                self._fail(exc, str(self.path))
            finally:
                new.remove()
        finally:
            self._let_go()

    def _copy_into(self, new: NewFile) -> None:
        """Copy every table into a new file, in the order of its rows, and compare the numbers of rows."""
        place = literal(str(new.path))
        self._run(f"ATTACH {place} AS compacted (TYPE duckdb, STORAGE_VERSION '{STORAGE_VERSION}')")
        try:
            self._run("SET preserve_insertion_order = true")
            self._run("COPY FROM DATABASE warehouse TO compacted")
            self._run("CHECKPOINT compacted")
            tables = self._run(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'warehouse'"
            ).fetchall()
            for name in (f"{schema}.{table}" for schema, table in tables):
                old_rows, new_rows = (
                    self._connection.table(f"{database}.{name}").count("*").fetchall()[0][0]
                    for database in ("warehouse", "compacted")
                )
                if old_rows != new_rows:
                    raise EngineError(
                        f"{name} has {counted(old_rows, 'row')}, its copy {new_rows:,}.",
                        "The warehouse is as it was. Report it with what --debug shows.",
                    )
        finally:
            self._run("SET preserve_insertion_order = false")
            self._run("DETACH compacted")

    def _begin_new(self) -> None:
        self._new = NewFile(self.path)
        try:
            self._attach("READ_WRITE")
        except BaseException:
            self._end_new(self._new)
            raise

    def _publish_new(self, new: NewFile) -> None:
        """Rename the new warehouse and then unlock it: other runs remove an unlocked file as a leftover."""
        try:
            new.publish()
        except OSError as exc:
            self._fail(exc, str(self.path))
        finally:
            self._let_go()
            self._end_new(new)

    def _end_new(self, new: NewFile) -> None:
        new.remove()
        self._new = None

    def _abandon(self) -> None:
        """Roll back the transaction and detach the warehouse."""
        with suppress(duckdb.Error):  # a COMMIT that fails has ended the transaction
            self._connection.execute("ROLLBACK")
        if self._new:
            self._let_go()
            self._end_new(self._new)
            return
        # DuckDB leaves an empty log. It is removed under the lock: later it might belong to another process.
        log = self.path.with_name(self.path.name + ".wal")
        if log.exists() and not log.stat().st_size:
            log.unlink()
        self._let_go()

    def _let_go(self) -> None:
        """Detach a warehouse that was open for writing."""
        try:
            self._detach()
            self.use_all_memory()
        except (duckdb.Error, EngineError):
            self._begin_anew()  # after a full disk the database cannot even be detached

    def tables(self) -> set[str]:
        found = self._run(
            "SELECT schema_name, table_name FROM duckdb_tables() "
            "WHERE database_name = 'warehouse' AND schema_name IN ('main', 'etl')"
        )
        return {f"{'public' if schema == 'main' else schema}.{name}" for schema, name in found.fetchall()}

    def translate(self, step: Statement) -> str:
        return to_duckdb(step)

    def execute(self, step: Statement, **parameters: Any) -> Rows:
        try:
            found = self._connection.execute(to_duckdb(step), step.pick(parameters))
            rows = found.fetchall() if found.description else []
        except duckdb.Error as exc:
            self._fail(exc, f"{step.path}, line {step.line}")
        if self._is_spared and _are_many(rows):
            self._give(max(self._given, self._needed()))
        return rows

    @contextmanager
    def holding(
        self, views: Collection[str], queries: Iterable[Statement], **parameters: Any
    ) -> Iterator[bool]:
        # The views are made again in memory, some as tables: the path says which schema of that name counts.
        self._run(f"CREATE SCHEMA memory.{SCHEMA}")
        try:
            self._run(f"SET search_path = 'warehouse.main,warehouse.etl,memory.{SCHEMA}'")
            for name, step in view_definitions().items():
                sql = to_duckdb(step)
                self._run(sql.replace("CREATE VIEW", "CREATE TABLE", 1) if name in views else sql)
            for step in queries:
                self._run(
                    f"CREATE TABLE memory.{SCHEMA}.{step.name} AS {to_duckdb(step)}", step.pick(parameters)
                )
            yield True
        finally:
            self._run("USE warehouse")
            self._run(f"DROP SCHEMA memory.{SCHEMA} CASCADE")

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        if not rows:
            return
        # One list per column: one statement per row would cost a millisecond each.
        values = {column: [row[i] for row in rows] for i, column in enumerate(columns)}
        select = ", ".join(f"unnest(${column})" for column in columns)
        self._run(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {select}", values)

    def keys_read(self, kind: RecordKind) -> frozenset[str]:
        return frozenset(field.key for field in fields_read(kind))

    def land(
        self, kind: RecordKind, files: Sequence[RecordFile], *, flat: bool = False, others: Sequence[str] = ()
    ) -> Mapping[int, Judged]:
        if not may_be_columns(others, self.keys_read(kind)):
            raise LoadError("DuckDB cannot read all of these fields as columns.", AGAIN, uri="")
        delivered = [(str(each.path), each.file_id) for each in files if each.file_id is not None]
        if delivered:
            self._run("CREATE TEMP TABLE IF NOT EXISTS run_paths (path VARCHAR, file_id BIGINT)")
            self._run("DELETE FROM run_paths")
            self.insert("run_paths", ("path", "file_id"), delivered)
            self._land(files_sql(kind, listed([path for path, _ in delivered]), flat=flat, others=others))
        for each in files:
            if each.file_id is None:
                self._land(packed_sql(kind, str(each.path), accepted=each.accepted))
        return {}

    def accept(self, kind: RecordKind) -> None:
        if not self._lands_inside(kind):
            self.execute(statements_of(kind).accept)
            return
        # The landing table becomes the staging table: no row is written a second time.
        self._run(f"DROP TABLE {kind.staging}")
        self._run(f"ALTER TABLE {kind.landing} DROP COLUMN needs_rereading")
        self._run(f"ALTER TABLE {kind.landing} RENAME TO {kind.staging}")

    def _lands_inside(self, kind: RecordKind) -> bool:
        """Return whether a kind's records land directly in the new file, as those of large files do."""
        return self._lands_in_new_file and not kind.packed

    def survey(self, kind: RecordKind, paths: Sequence[Path]) -> Rows:
        return self._run(survey_sql([str(path) for path in paths])).fetchall()

    def ask(self, step: Statement, **parameters: Any) -> Answer:
        rows = self.execute(step, **parameters)
        return Answer([column[0] for column in self._connection.description or []], iter(rows))

    def query(self, sql: str) -> Answer:
        # The warehouse is attached read-only; this setting prevents access to any other file.
        self._run("SET enable_external_access = false")
        found = self._run(self._only(sql), what=THE_QUERY)
        columns = [column[0] for column in found.description or []]

        def rows() -> Iterator[tuple[Any, ...]]:
            try:
                while some := found.fetchmany(10_000):
                    yield from some
            except duckdb.Error as exc:
                self._fail(exc, THE_QUERY)

        return Answer(columns, rows())

    def _only(self, sql: str) -> str:
        """Return the statement if there is exactly one: of several only the last result would be shown."""
        try:
            count = len(self._connection.extract_statements(sql))
        except duckdb.Error as exc:
            self._fail(exc, THE_QUERY)
        if count != 1:
            raise EngineError(f"the query is {count} statements.", "Ask one at a time.")
        return sql

    def write_parquet(self, sql: str, path: Path) -> int:
        self._run(f"SET allowed_paths = [{literal(str(path))}]")
        self._run("SET enable_external_access = false")
        select = self._only(sql).strip().rstrip(";")
        done = self._run(f"COPY ({select}\n) TO {literal(str(path))} (FORMAT parquet)", what=THE_QUERY)
        ((rows,),) = done.fetchall()
        return int(rows)

    def write_file(self, sql: str, path: Path, form: str) -> int:
        copy = f"COPY ({sql}) TO {literal(str(path))} ({COPY_OPTIONS[form]})"
        try:
            return run_write(self._connection, copy, path)
        except duckdb.Error as exc:
            self._fail(exc, "the export")

    def add_table(self, sql: str, path: Path, name: str) -> int:
        try:
            return add_table(self._connection, sql, path, name)
        except duckdb.Error as exc:
            self._fail(exc, "the export")

    def close(self) -> None:
        try:
            if self._new:
                self._abandon()
            self._connection.close()
        finally:
            self._spill.remove()

    def _attach(self, mode: str, *, wait: bool = True) -> None:
        if self._detaching:  # that was interrupted; somebody asks what became of the run
            self._begin_anew()
        begun = time.monotonic()
        refused = told = False
        path = self._new.path if self._new else self.path
        # The type is explicit: DuckDB would attach a file named *.json as something that stores nothing.
        # New files have a format that every DuckDB from 1.4 on can read.
        version = f", STORAGE_VERSION '{STORAGE_VERSION}'" if self._new else ""
        sql = f"ATTACH {literal(str(path))} AS warehouse ({mode}, TYPE duckdb{version})"
        with ExitStack() as waiting:
            while True:
                try:
                    self._connection.execute(sql)
                    self._connection.execute("USE warehouse")
                except duckdb.IOException as exc:
                    waited = time.monotonic() - begun
                    if "Could not set lock" not in str(exc) or not wait or waited > self._wait:
                        self._fail(exc, str(self.path))
                    if not refused:
                        refused = True
                        waiting.enter_context(_noting(find_holder(str(exc)).words))
                    if waited > 1 and not told:
                        told = True
                        waiting.enter_context(self._on_wait(find_holder(str(exc)).words))
                    time.sleep(_RETRY_EVERY)
                except duckdb.Error as exc:
                    self._fail(exc, str(self.path))
                else:
                    return

    def _detach(self) -> None:
        self._detaching = True
        self._connection.execute("USE memory")
        self._connection.execute("DETACH warehouse")
        self._detaching = False

    def _begin_anew(self) -> None:
        """Let go of everything, the run's own tables too."""
        self._connection.close()
        self._connection = self._connect()
        self._detaching = False

    def _run(
        self, sql: str, parameters: dict[str, Any] | None = None, *, what: str = ""
    ) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.execute(sql, parameters)
        except duckdb.Error as exc:
            self._fail(exc, what or sql.partition(" ")[0])

    def _land(self, sql: str) -> None:
        try:
            self._connection.execute(sql)
        except (duckdb.Error, UnicodeDecodeError) as exc:
            wrong = load_error(exc)
            if wrong:
                raise wrong from exc
            self._fail(exc, "reading the files")

    def _fail(self, exc: Exception, what: str) -> NoReturn:
        if self._is_spared and isinstance(exc, duckdb.OutOfMemoryException):
            self._may_spare = False
            raise TransientEngineError(
                f"{what} was too much for {self._given / 1e6:,.0f} MB of memory: DuckDB gets more now.",
                "Run again: nothing was changed.",
            ) from exc
        raise explain(exc, what, self.path) from exc


def _are_many(rows: Rows) -> bool:
    """Return whether a statement may have written many rows: it gives their number then."""
    return len(rows) == 1 and isinstance(rows[0][0], int) and rows[0][0] >= _MANY


@contextmanager
def _noting(holder: str) -> Iterator[None]:
    """Add the holder's name to a KeyboardInterrupt raised during the wait."""
    try:
        yield
    except BaseException as exc:
        exc.add_note(f"while waiting for {holder}")
        raise
