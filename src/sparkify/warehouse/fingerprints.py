"""What a table holds as one number: the same for the same rows in any order, on any engine.

Owns which tables and columns of a warehouse are its content, what makes a row one, and how a row becomes a
number. Numbers of files and runs are not content: two warehouses give the same files other numbers. A row of
staging counts with the hash of its file instead (:data:`FILE`).

Between two DuckDB files a row's number is DuckDB's own ``hash``: ten million rows take seconds. Where an
engine differs, it is the first 60 bits of an MD5 of a text that both engines write alike: texts as their MD5,
doubles as two whole numbers (what is before the point, and the first 60 bits behind it), times in
milliseconds. So what counts as equal there: doubles that differ by less than 2**-60; those of 2**62 and more,
with infinity and NaN; those of -2**62 and less, with minus infinity; times of one millisecond. -0.0 and 0.0
are equal everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from sparkify.records import KINDS
from sparkify.warehouse.engine import Answer, Engine
from sparkify.warehouse.statements import Statement, statement

# The column that stands for a row's file: the hash of its content, or its URI where there is none.
FILE = "source_file"
# In how many parts a table is cut by the keys of its rows, to find those that differ.
PARTS = 4096

_FILES = "SELECT file_id, run_id, COALESCE(content, uri) AS {file} FROM etl.files WHERE state = 'loaded'"
_NUMBERS = "numbers of files and runs are the warehouse's own: a row counts with the content of its file"
_HISTORY = "how a file is stored and named, and the words about it, are not its content"


class TableContent(NamedTuple):
    """What of a table is compared.

    Attributes:
        name: As our statements write it.
        key: The columns by which a row is found in the other warehouse.
        left_out: The columns that are no content, and why.
        source: What is read: the table under the name ``s``, with what it is joined to.
        file: The expression of :data:`FILE`; empty: its rows do not belong to files.
    """

    name: str
    key: tuple[str, ...]
    left_out: dict[str, str]
    source: str
    file: str = ""


class ComparedColumn(NamedTuple):
    """A column as it is compared: its name, its type in one word, its expression, its type as declared."""

    name: str
    type: str
    expression: str
    declared: str


class TableColumns(NamedTuple):
    """A table of one warehouse, with the columns it has there."""

    content: TableContent
    columns: tuple[ComparedColumn, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    def only(self, names: Sequence[str]) -> TableColumns:
        """Return it with these columns alone, in this order."""
        by_name = {column.name: column for column in self.columns}
        return self._replace(columns=tuple(by_name[name] for name in names))

    @property
    def keys(self) -> tuple[ComparedColumn, ...]:
        """The columns of its key, as far as they are there; all columns, where none is."""
        there = [name for name in self.content.key if name in self.names]
        return self.only(there).columns or self.columns


class Fingerprint(NamedTuple):
    """Rows of a table, or of a part of it: how many, and the sum of their numbers."""

    rows: int
    total: int


class Hashing(Protocol):
    """How rows become numbers, and how the statement that does so is sent."""

    def number(self, columns: Sequence[ComparedColumn]) -> str:
        """Return the expression of a number of 60 bits or more that follows from these columns."""

    def ask(self, engine: Engine, sql: str) -> Answer:
        """Send a SELECT of ours."""


class NativeHashing:
    """DuckDB's own hash; between two DuckDB files of one process."""

    def number(self, columns: Sequence[ComparedColumn]) -> str:
        # DuckDB joins the hashes of values by XOR. Without another hash around it, two rows that swap their
        # last values can keep the sum.
        return f"hash(hash({', '.join(column.expression for column in columns)}))"

    def ask(self, engine: Engine, sql: str) -> Answer:
        return engine.query(sql)


class PortableHashing:
    """An MD5 of a text that every engine writes alike."""

    def number(self, columns: Sequence[ComparedColumn]) -> str:
        text = " || '|' || ".join(_text_of(column) for column in columns)
        return f"STRTOL(SUBSTRING(MD5({text}), 1, 15), 16)"

    def ask(self, engine: Engine, sql: str) -> Answer:
        return engine.ask(Statement(sql, "diff", 1, verbatim=True))


def hashing_for(*engines: Engine) -> Hashing:
    """Return the fastest way to hash that these engines share."""
    return NativeHashing() if {engine.name for engine in engines} == {"duckdb"} else PortableHashing()


def compared_tables() -> tuple[TableContent, ...]:
    """Return what is compared of every table that has content, staging first."""
    files = f"LEFT JOIN ({_FILES.format(file=FILE)}) AS f ON s.file_id = f.file_id"
    staging = (
        TableContent(
            kind.staging,
            kind.identity,
            {"file_id": _NUMBERS},
            f"FROM {kind.staging} AS s {files}",
            f"f.{FILE}",
        )
        for kind in reversed(KINDS)
    )
    return (
        *staging,
        *(
            TableContent(name, (key,), {}, f"FROM {name} AS s")
            for name, key in (
                ("songplays", "songplay_id"),
                ("users", "user_id"),
                ("songs", "song_id"),
                ("artists", "artist_id"),
                ("time", "start_time"),
                ("etl.days", "day"),
            )
        ),
        TableContent(
            "etl.files",
            ("kind", FILE),
            {
                **dict.fromkeys(("file_id", "run_id"), _NUMBERS),
                **dict.fromkeys(("uri", "size", "version", "content", "detail"), _HISTORY),
            },
            # A copy is known by the file whose content it has; what was replaced or undone is history.
            "FROM etl.files AS s WHERE s.state NOT IN ('replaced', 'undone', 'copy')",
            "COALESCE(s.content, s.uri)",
        ),
        TableContent(
            "etl.rejects",
            (FILE, "byte_offset"),
            {
                **dict.fromkeys(("file_id", "run_id", "resolved_by"), _NUMBERS),
                "uri": _HISTORY,
            },
            "FROM etl.rejects AS s"
            " INNER JOIN etl.runs AS r ON s.run_id = r.run_id AND r.status = 'done'"
            " LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND s.run_id = f.run_id"
            " WHERE s.resolved_by IS NULL",
            "COALESCE(f.content, s.uri)",
        ),
    )


def columns_of(engine: Engine, content: TableContent) -> TableColumns | None:
    """Return a table's columns in the open warehouse, as they are compared; None: it has no such table."""
    schema, _, name = content.name.rpartition(".")
    schema = schema or ("main" if engine.name == "duckdb" else "public")
    found = engine.execute(statement("ledger/columns_of.sql"), schema_name=schema, table_name=name)
    if not found:
        return None
    columns = [
        ComparedColumn(column, _word(kind), f's."{column}"', kind)
        for column, kind in found
        if column not in content.left_out
    ]
    if content.file:
        columns.append(ComparedColumn(FILE, "text", content.file, "text"))
    return TableColumns(content, tuple(columns))


def fingerprint(engine: Engine, table: TableColumns, hashing: Hashing) -> Fingerprint:
    """Return the fingerprint of a whole table of the open warehouse."""
    inner = f"SELECT {hashing.number(table.columns)} AS n {table.content.source}"
    ((rows, total),) = hashing.ask(engine, f"SELECT COUNT(*) AS c, SUM(t.n) AS n FROM ({inner}) AS t").rows
    return Fingerprint(int(rows), int(total or 0))


def fingerprint_parts(engine: Engine, table: TableColumns, hashing: Hashing) -> dict[int, Fingerprint]:
    """Return the fingerprint of each part of a table; parts without rows are absent."""
    inner = (
        f"SELECT {hashing.number(table.columns)} AS n, {_part(table, hashing)} AS p {table.content.source}"
    )
    sql = f"SELECT t.p, COUNT(*) AS c, SUM(t.n) AS n FROM ({inner}) AS t GROUP BY t.p"
    return {
        int(part): Fingerprint(int(rows), int(total)) for part, rows, total in hashing.ask(engine, sql).rows
    }


def rows_of_parts(
    engine: Engine, table: TableColumns, hashing: Hashing, parts: Iterable[int]
) -> Iterator[tuple[object, ...]]:
    """Yield the rows of some parts, with the columns in their order."""
    listed = ", ".join(map(str, parts))
    columns = ", ".join(f'{column.expression} AS "{column.name}"' for column in table.columns)
    inner = f"SELECT {columns}, {_part(table, hashing)} AS part_of_it {table.content.source}"
    names = ", ".join(f't."{name}"' for name in table.names)
    yield from hashing.ask(
        engine, f"SELECT {names} FROM ({inner}) AS t WHERE t.part_of_it IN ({listed})"
    ).rows


def _part(table: TableColumns, hashing: Hashing) -> str:
    return f"MOD({hashing.number(table.keys)}, {PARTS})"


def _word(kind: str) -> str:
    """Return what a database's type is, in the words of :func:`_text_of`."""
    lowered = kind.lower()
    if lowered.startswith(("varchar", "character")):
        return "text"
    if lowered.startswith(("double", "float", "real")):
        return "real"
    if lowered.startswith("bool"):
        return "flag"
    return "moment" if lowered.startswith("timestamp") else "whole"


def _text_of(column: ComparedColumn) -> str:
    """Return the expression of a value as a text of ASCII; a known one is never ``-``."""
    value = column.expression
    if column.type == "text":
        text = f"MD5({value})"
    elif column.type == "flag":  # Redshift casts none to a text
        text = f"CASE WHEN {value} THEN 't' WHEN NOT {value} THEN 'f' END"
    elif column.type == "moment":
        text = f"CAST(DATEDIFF(ms, CAST('1970-01-01' AS TIMESTAMP), {value}) AS VARCHAR(20))"
    elif column.type == "real":
        whole = f"CAST(CAST(TRUNC({value}) AS BIGINT) AS VARCHAR(20))"
        behind = f"CAST(CAST(TRUNC(({value} - TRUNC({value})) * {2**60}) AS BIGINT) AS VARCHAR(20))"
        text = (
            f"CASE WHEN {value} >= {2**62} THEN '>' WHEN {value} <= -{2**62} THEN '<' "
            f"ELSE {whole} || '/' || {behind} END"
        )
    else:
        text = f"CAST({value} AS VARCHAR(20))"
    return f"COALESCE({text}, '-')"
