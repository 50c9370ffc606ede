"""The fields of a record that have no column, as the text of one JSON object: nothing of a record is lost.

The text is the same whichever engine loads the record: fields in the order of their names, values inside them
as they stand, no blanks. A field whose value is null is left out, since it holds nothing. A number that a
double holds is written as engines write it (1.50 is 1.5), any other with all its digits. What no database
stores, NUL and half a surrogate pair, is written as its escape.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from operator import itemgetter
from typing import Any

from sparkify.intake.parse import pairs_of
from sparkify.intake.rules import TOO_LONG, ExactNumber, Refusal, shortest
from sparkify.records import EXTRA, EXTRA_BYTES
from sparkify.text import counted

# `json.dumps` would make an encoder for every text.
_encode = json.JSONEncoder(ensure_ascii=False).encode


def extra_of(record: Mapping[str, Any], known: Collection[str]) -> str | None:
    """Return the text for the column ``extra``; None: every field with a value has a column.

    A field that stands twice is written twice: JSON does not say which of the two counts.

    Args:
        record: A JSON object, as :func:`sparkify.intake.parse.parse` gives it.
        known: The keys that have a column.

    Raises:
        Refusal: The text is longer than the column.
    """
    others = [
        (storable(key), value) for key, value in pairs_of(record) if key not in known and value is not None
    ]
    if not others:
        return None
    others.sort(key=itemgetter(0))
    text = "{" + ",".join(f"{_string(key)}:{_written(value)}" for key, value in others) + "}"
    size = len(text.encode())
    if size > EXTRA_BYTES:
        raise Refusal(
            TOO_LONG,
            f"the fields without a column are {counted(size, 'byte')} long, "
            f"the column {EXTRA} holds {EXTRA_BYTES:,}",
        )
    return text


def storable(text: str) -> str:
    """Return a text as a database can store it: half a surrogate pair and NUL by their escapes."""
    if text.isascii() and "\0" not in text:  # as most are
        return text
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\u0000")


def _written(value: Any) -> str:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, ExactNumber):
        return shortest(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    # Loops, not comprehensions: a level of nesting takes one of Python's frames.
    written = []
    if isinstance(value, dict):
        for key, each in pairs_of(value):
            written.append(f"{_string(key)}:{_written(each)}")
        return "{" + ",".join(written) + "}"
    if isinstance(value, list):
        for each in value:
            written.append(_written(each))  # noqa: PERF401
        return "[" + ",".join(written) + "]"
    return str(value)


def _string(text: str) -> str:
    return _encode(storable(text))
