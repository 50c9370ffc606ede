"""Our statements in DuckDB's dialect, written beforehand: ``sql`` holds what sqlglot made of each.

To import sqlglot and transpile takes a fifth of a second, a quarter of a small load. Every text is kept
with a digest of its source, so one that does not belong to the source as it stands is never used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib import resources

from sparkify.warehouse.statements import Statement

_MARK = "-- of "


@cache
def to_duckdb(statement: Statement) -> str:
    """Return the statement in DuckDB's dialect.

    Raises:
        ModelError: It was not written beforehand, and cannot be.
    """
    text = _written(statement.path).get(_digest(statement))
    if text is None:
        from sparkify.warehouse.duckdb.dialect import transpile

        text = transpile(statement)
    return text


def write_file(statements: Iterable[Statement]) -> str:
    """Return what ``warehouse/duckdb/sql`` holds of one of our files."""
    from sparkify.warehouse.duckdb.dialect import transpile

    return "".join(f"{_MARK}{_digest(each)}\n{transpile(each)};\n" for each in statements)


@cache
def _written(path: str) -> dict[str, str]:
    file = resources.files("sparkify.warehouse.duckdb").joinpath("sql", path)
    if not file.is_file():
        return {}
    written = {}
    for part in file.read_text(encoding="utf-8").split(_MARK)[1:]:
        digest, _, text = part.partition("\n")
        written[digest] = text.rstrip().removesuffix(";")
    return written


def _digest(statement: Statement) -> str:
    return hashlib.blake2b(statement.text.encode(), digest_size=8).hexdigest()
