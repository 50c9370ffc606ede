"""Write rows to files for others: how they are written, and another engine's with a temporary database.

The files are Parquet, CSV, or a DuckDB database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb

from sparkify.errors import EngineError
from sparkify.tempfiles import open_temporary_folder
from sparkify.warehouse.duckdb.new_file import STORAGE_VERSION
from sparkify.warehouse.duckdb.parsing import literal

# The options of COPY for each format.
COPY_OPTIONS = {
    "parquet": "FORMAT parquet",
    "csv": "FORMAT csv, HEADER, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%f'",
}
# Types by their number in PostgreSQL's protocol; other types are written as text.
_TYPES = {
    16: "BOOLEAN",
    20: "BIGINT",
    21: "SMALLINT",
    23: "INTEGER",
    700: "FLOAT",
    701: "DOUBLE",
    1082: "DATE",
    1083: "TIME",
    1114: "TIMESTAMP",
    1184: "TIMESTAMPTZ",
}
_NUMERIC = 1700
_MOST_DIGITS = 38
_AT_ONCE = 2_000
# What may be held in memory of an answer, of which the rest lies in a temporary folder. It has to hold a row
# group, which DuckDB makes six times as large, once for each of its threads.
_MEMORY = "512MB"
_ROW_GROUP = 20_480


def write_rows(
    columns: Sequence[tuple[str, int]], rows: Iterator[tuple[Any, ...]], path: Path, form: str = "parquet"
) -> int:
    """Write rows to a file as they arrive; return their number.

    Args:
        columns: Name and type number of each column.
        rows: The rows.
        path: The file to write.
        form: One of :data:`COPY_OPTIONS`.

    Raises:
        EngineError: The file cannot be written.
        SparkifyError: There is no room for temporary files.
    """
    options = COPY_OPTIONS[form] + (f", ROW_GROUP_SIZE {_ROW_GROUP}" if form == "parquet" else "")
    with _held(columns, rows) as (connection, select):
        return run_write(connection, f"COPY ({select}) TO {literal(str(path))} ({options})", path)


def add_rows(
    columns: Sequence[tuple[str, int]], rows: Iterator[tuple[Any, ...]], path: Path, name: str
) -> int:
    """Write rows to a new table of a DuckDB file, as :func:`write_rows` does."""
    with _held(columns, rows) as (connection, select):
        return add_table(connection, select, path, name)


def add_table(connection: duckdb.DuckDBPyConnection, select: str, path: Path, name: str) -> int:
    """Write what a connection selects to a new table of a DuckDB file; return the number of rows.

    Raises:
        EngineError: The file cannot be written.
        duckdb.Error: The database refused.
    """
    options = f"TYPE duckdb, STORAGE_VERSION '{STORAGE_VERSION}'"
    schema, _, table = name.rpartition(".")
    place = f"exported.{_quoted(schema or 'main')}"
    run_write(connection, f"ATTACH {literal(str(path))} AS exported ({options})", path)
    try:
        run_write(connection, f"CREATE SCHEMA IF NOT EXISTS {place}", path)
        return run_write(connection, f"CREATE TABLE {place}.{_quoted(table)} AS {select}", path)
    finally:
        run_write(connection, "DETACH exported", path)


def run_write(connection: duckdb.DuckDBPyConnection, sql: str, path: Path) -> int:
    """Run a statement that writes to a file; return the number of rows it says, or else 0.

    Raises:
        EngineError: The file cannot be written.
        duckdb.Error: The database refused for another reason.
    """
    try:
        found = connection.execute(sql).fetchall()
    except duckdb.IOException as exc:
        raise EngineError(
            f"{path} cannot be written: {_first_line(exc)}", "Make room, or choose another place."
        ) from exc
    return int(found[0][0]) if found else 0


@contextmanager
def _held(
    columns: Sequence[tuple[str, int]], rows: Iterator[tuple[Any, ...]]
) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """Yield a connection to a temporary database that holds rows, and the statement that reads them."""
    slots = [
        _Slot(f"c{i}", _quoted(name), _TYPES.get(number, "VARCHAR"), number == _NUMERIC)
        for i, (name, number) in enumerate(columns)
    ]
    with open_temporary_folder() as folder, duckdb.connect(str(folder / "answer.duckdb")) as connection:
        try:
            _fill_table(connection, slots, rows)
        except duckdb.Error as exc:
            raise EngineError(
                f"the answer cannot be held in {folder}: {_first_line(exc)}",
                "Make room, or name another folder with TMPDIR; then run again.",
            ) from exc
        yield connection, f"SELECT {', '.join(each.given for each in slots)} FROM answer"  # noqa: S608


def _fill_table(
    connection: duckdb.DuckDBPyConnection, slots: Sequence[_Slot], rows: Iterator[tuple[Any, ...]]
) -> None:
    """Create the table ``answer`` and insert the rows."""
    connection.execute(f"SET memory_limit = '{_MEMORY}'")
    connection.execute("SET threads = 1")
    connection.execute(f"CREATE TABLE answer ({', '.join(f'{each.name} {each.type}' for each in slots)})")
    filled = ", ".join(f"CAST(unnest(${each.name}) AS {each.type})" for each in slots)
    while some := list(islice(rows, _AT_ONCE)):
        values = {each.name: each.taken([row[i] for row in some]) for i, each in enumerate(slots)}
        connection.execute(f"INSERT INTO answer SELECT {filled}", values)


@dataclass(slots=True)
class _Slot:
    """A column of the table ``answer``; a NUMERIC is stored as text until the largest scale is known."""

    name: str
    label: str
    type: str
    is_numeric: bool
    places: int = 0

    def taken(self, values: list[Any]) -> list[Any]:
        if self.is_numeric:
            exponents = [value.as_tuple().exponent for value in values if isinstance(value, Decimal)]
            self.places = max([self.places, *(-each for each in exponents if isinstance(each, int))])
        if self.type == "VARCHAR":
            return [value if value is None else str(value) for value in values]
        return values

    @property
    def given(self) -> str:
        if not self.is_numeric:
            return f"{self.name} AS {self.label}"
        kind = f"DECIMAL({_MOST_DIGITS}, {min(self.places, _MOST_DIGITS)})"
        return f"CAST({self.name} AS {kind}) AS {self.label}"


def _first_line(exc: Exception) -> str:
    return str(exc).split("\n", 1)[0]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
