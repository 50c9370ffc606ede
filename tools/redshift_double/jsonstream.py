"""A file of JSON as COPY reads it: objects one after the other, blanks between them, no regard for lines.

Owns the cutting into objects, their lines and their top-level values as text. What a value means to a column
is convert.py's business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined]

from .options import Resync

MAX_OBJECT_BYTES = 4 * 1024 * 1024
_BLANK = re.compile(r"[ \t\n\r]*")


class Number(str):
    """A JSON number, as it was written."""

    __slots__ = ()


class Nested(str):
    """An object or array inside, as it was written."""

    __slots__ = ()


Value = str | Number | Nested | bool | None


@dataclass
class Record:
    """One object, or what could not be read as one.

    Args:
        line: The line it ends on, from 1.
        values: Key to value, the last of equal keys.
        raw: The text.
        error: Why it is no object; empty for an object.
        position: Where in the text the error lies.
    """

    line: int
    raw: str
    values: dict[str, Value] = field(default_factory=dict)
    error: str = ""
    position: int = 0


def _no_constant(name: str) -> object:
    raise ValueError(name)


_FAST = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=_no_constant)


def decode(data: bytes) -> str:
    """Bytes as text; what is no UTF-8 stays recognisable as lone surrogates."""
    return data.decode("utf-8", "surrogateescape")


def read_records(text: str, resync: Resync) -> Iterator[Record]:
    """Every object in a file, and every place where there is none."""
    position, line, counted = 0, 1, 0
    while True:
        blank = _BLANK.match(text, position)
        assert blank is not None
        start = blank.end()
        if start == len(text):
            return
        line += text.count("\n", counted, start)
        counted = start
        error = ""
        try:
            if text[start] != "{":
                raise _Broken("Invalid JSONPath format: Member is not an object.", start)
            values, end = _object(text, start)
            if (end - start) * 4 > MAX_OBJECT_BYTES and len(_bytes(text[start:end])) > MAX_OBJECT_BYTES:
                error = f"JSON object exceeds the maximum size of {MAX_OBJECT_BYTES} bytes"
        except _Broken as broken:
            error = broken.reason
            values = {}
            broke_at = start if resync == "line" else broken.position
            newline = text.find("\n", broke_at)
            end = len(text) if newline < 0 else newline
        raw = text[start:end].rstrip()
        line += text.count("\n", counted, start + len(raw))
        counted = start + len(raw)
        yield Record(line, raw, values, error, max(0, len(raw) - 1) if error else 0)
        position = end


class _Broken(Exception):
    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _object(text: str, start: int) -> tuple[dict[str, Value], int]:
    try:
        found, end = _FAST.raw_decode(text, start)
    except json.JSONDecodeError as error:
        # A string may not run over the end of a line, so an unclosed one breaks there.
        raise _Broken("Invalid JSON: " + error.msg, min(error.pos, len(text))) from None
    except (ValueError, RecursionError):
        raise _Broken("Invalid value.", start) from None
    if any(isinstance(value, dict | list) for value in found.values()):
        return _members(text, start), end
    return found, end


def _members(text: str, start: int) -> dict[str, Value]:
    """The members of an object known to be good, with nested values as the text they were."""
    values: dict[str, Value] = {}
    position = _skip(text, start + 1)
    while text[position] != "}":
        key, position = scanstring(text, position + 1)
        position = _skip(text, _skip(text, position) + 1)
        found, end = _FAST.raw_decode(text, position)
        values[key] = Nested(text[position:end]) if isinstance(found, dict | list) else found
        position = _skip(text, end)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return values


def _skip(text: str, position: int) -> int:
    blank = _BLANK.match(text, position)
    assert blank is not None
    return blank.end()


def as_text(value: object) -> Value:
    """A value found deeper inside, as COPY sees it."""
    if isinstance(value, dict | list):
        return Nested(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    assert value is None or isinstance(value, str | bool)
    return value


def parse_nested(text: str) -> object:
    """A nested value as Python sees it, numbers as written."""
    return _FAST.decode(text)
