"""Our statements in DuckDB's dialect, generated in advance into ``translated.sql``.

Importing sqlglot and transpiling takes a fifth of a second, a quarter of a small load. Every translation is
stored with a digest of its source, so that an outdated one is never used.
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
# The line before each statement: file and line of its source, and the digest of the source.
_MARK = re.compile(r"^-- \S+:\d+ ([0-9a-f]{16})\n", re.MULTILINE)


@cache
def to_duckdb(statement: Statement) -> str:
    """Return the statement in DuckDB's dialect.

    Raises:
        ModelError: There is no translation in the file, and the statement cannot be translated.
    """
    text = _written().get(_digest(statement))
    if text is None:
        from sparkify.warehouse.duckdb.dialect import transpile

        text = transpile(statement)
    return text


def write_file(statements: Iterable[Statement]) -> str:
    """Return the text of ``translated.sql`` for these statements.

    Raises:
        ModelError: A statement cannot be translated.
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
