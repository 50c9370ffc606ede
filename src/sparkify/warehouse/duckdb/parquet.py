"""Rows of another engine into a Parquet file, by DuckDB in memory."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from sparkify.errors import EngineError
from sparkify.warehouse.duckdb.landing import literal

# Types by their number in the protocol; what is not among them is written as text.
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
_AT_ONCE = 10_000


def write_rows(columns: Sequence[tuple[str, int]], rows: Sequence[tuple[Any, ...]], path: Path) -> None:
    """Write rows; ``columns`` are their names and types' numbers.

    Raises:
        EngineError: The file cannot be written.
    """
    types = [_type_of(number, [row[i] for row in rows]) for i, (_, number) in enumerate(columns)]
    slots = [(f"c{i}", kind) for i, kind in enumerate(types)]
    defined = ", ".join(f"{slot} {kind}" for slot, kind in slots)
    filled = ", ".join(f"CAST(unnest(${slot}) AS {kind})" for slot, kind in slots)
    named = ", ".join(
        f"{slot} AS {_quoted(name)}" for (slot, _), (name, _) in zip(slots, columns, strict=True)
    )
    with duckdb.connect(":memory:") as connection:
        try:
            connection.execute(f"CREATE TABLE answer ({defined})")
            for start in range(0, len(rows), _AT_ONCE):
                some = rows[start : start + _AT_ONCE]
                values = {
                    slot: [_plain(row[i], kind) for row in some] for i, (slot, kind) in enumerate(slots)
                }
                connection.execute(f"INSERT INTO answer SELECT {filled}", values)
            chosen = f"SELECT {named} FROM answer"  # noqa: S608 - quoted
            connection.execute(f"COPY ({chosen}) TO {literal(str(path))} (FORMAT parquet)")
        except duckdb.Error as exc:
            reason = str(exc).split("\n", 1)[0]
            raise EngineError(f"{path} cannot be written: {reason}", "Choose another place.") from exc


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _type_of(number: int, values: Sequence[Any]) -> str:
    if number != _NUMERIC:
        return _TYPES.get(number, "VARCHAR")
    exponents = [value.as_tuple().exponent for value in values if isinstance(value, Decimal)]
    scale = max((-exponent for exponent in exponents if isinstance(exponent, int)), default=0)
    return f"DECIMAL({_MOST_DIGITS}, {min(max(scale, 0), _MOST_DIGITS)})"


def _plain(value: Any, kind: str) -> Any:
    return str(value) if kind == "VARCHAR" and value is not None else value
