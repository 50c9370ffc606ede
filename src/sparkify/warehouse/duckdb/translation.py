"""Our statements in DuckDB's dialect, written beforehand: ``translated.sql`` holds them all.

To import sqlglot and transpile takes a fifth of a second, a quarter of a small load. Every text is kept
with a digest of its source, so one that does not belong to the source as it stands is never used.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

from sparkify.warehouse.statements import Statement

FILE = "translated.sql"
_HEAD = "-- Our statements in DuckDB's dialect, for reading and for running: made by `make generate`.\n"
# Before each statement: where its source stands, and the digest of that.
_MARK = re.compile(r"^-- \S+:\d+ ([0-9a-f]{16})\n", re.MULTILINE)


@cache
def to_duckdb(statement: Statement) -> str:
    """Return the statement in DuckDB's dialect.

    Raises:
        ModelError: It was not written beforehand, and cannot be.
    """
    text = _written().get(_digest(statement))
    if text is None:
        from sparkify.warehouse.duckdb.dialect import transpile

        text = transpile(statement)
    return text


def write_file(statements: Iterable[Statement]) -> str:
    """Return what ``translated.sql`` holds of statements.

    Raises:
        ModelError: One of them cannot be written for DuckDB.
    """
    from sparkify.warehouse.duckdb.dialect import transpile

    parts = (f"\n-- {each.path}:{each.line} {_digest(each)}\n{transpile(each)};\n" for each in statements)
    return _HEAD + "".join(parts)


@cache
def _written() -> dict[str, str]:
    text = resources.files("sparkify.warehouse.duckdb").joinpath(FILE).read_text(encoding="utf-8")
    _, *parts = _MARK.split(text)
    return {
        digest: sql.rstrip().removesuffix(";") for digest, sql in zip(parts[::2], parts[1::2], strict=True)
    }


def _digest(statement: Statement) -> str:
    return hashlib.blake2b(statement.text.encode(), digest_size=8).hexdigest()
