"""Values as literals of Redshift's SQL: the only module that puts a value into a statement's text.

Bind parameters do not work in COPY and DDL, and would cost a round trip per value. So values are quoted as
literals, and values of any other type, or secrets, are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sparkify.settings import Secret

# A comment, a literal, or a parameter; only the last is replaced.
_PARAMETER = re.compile(r"--[^\n]*|'(?:[^'\\]|''|\\.)*'|(?<![:\w]):([a-z_]+)", re.DOTALL)
_BIGINT = 1 << 63
_BETWEEN = ",\n"


class Word(str):
    """A keyword, such as ``default``, written without quotes; never user input."""

    __slots__ = ()


def literal(value: Any) -> str:
    """Return a value as an SQL literal.

    Raises:
        ValueError: The value has no literal; the message does not show it.
    """
    if isinstance(value, str):
        return _text_literal(value)
    if isinstance(value, float) and math.isfinite(value):
        return f"CAST('{value!r}' AS DOUBLE PRECISION)"
    if isinstance(value, datetime) and value.tzinfo is None:
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    if value is None or isinstance(value, bool):
        return {None: "NULL", True: "TRUE", False: "FALSE"}[value]
    if isinstance(value, int) and -_BIGINT <= value < _BIGINT:
        return str(value)
    raise ValueError(f"a {type(value).__name__} that has no literal in SQL")


def _text_literal(value: str) -> str:
    refused = isinstance(value, Secret) or "\0" in value
    if isinstance(value, Word):
        refused = not re.fullmatch(r"[a-z_]+", value)
    if refused:
        raise ValueError("a secret, a text with NUL or half a word has no literal in SQL")
    if isinstance(value, Word):
        return str(value)
    value.encode()  # half a surrogate pair is a UnicodeEncodeError, which is a ValueError
    # A backslash escapes in Redshift's literals.
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def fill(text: str, parameters: Mapping[str, Any]) -> str:
    """Return a statement with every ``:name`` outside of comments and literals replaced by its literal.

    Raises:
        KeyError: A parameter is not given.
        ValueError: A value has no literal.
    """

    def replaced(found: re.Match[str]) -> str:
        return literal(parameters[found[1]]) if found[1] else found[0]

    return _PARAMETER.sub(replaced, text)


def inserts(
    table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], most_bytes: int
) -> Iterator[str]:
    """Yield INSERT statements for rows, as few as the size allows.

    Args:
        table: The table.
        columns: The columns.
        rows: Their values.
        most_bytes: The size of a statement; one row that is larger makes a larger statement.
    """
    head = f"INSERT INTO {table} ({', '.join(columns)}) VALUES\n"
    pending: list[str] = []
    size = 0
    for row in rows:
        text = f"({', '.join(map(literal, row))})"
        length = len(text if text.isascii() else text.encode()) + len(_BETWEEN)
        if pending and size + length > most_bytes:
            yield head + _BETWEEN.join(pending)
            pending = []
        if not pending:
            size = len(head.encode())
        pending.append(text)
        size += length
    if pending:
        yield head + _BETWEEN.join(pending)
