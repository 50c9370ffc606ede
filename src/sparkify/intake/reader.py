"""The careful reader: one file, record by record, where the fast path was not sure of it.

Every line ends up accepted or refused; none is ignored. Array files and objects printed over
several lines are read; a byte order mark and CRLF are taken in stride; blank lines are no records. Of a
compressed file whose check sum is wrong nothing is accepted.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sparkify.intake.framing import Span, find_records
from sparkify.intake.parse import MOST_LEVELS, Repeating, is_deeper
from sparkify.intake.rules import DAMAGED, MALFORMED, NOT_AN_OBJECT, TRUNCATED, Refusal, judge
from sparkify.lake.codec import decompress
from sparkify.records import RecordKind

_BOM = b"\xef\xbb\xbf"
# How much of a refused record is kept.
KEPT_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that was not accepted.

    Attributes:
        line: Where it begins, from 1.
        byte_offset: Where it begins in the plain contents, from 0.
        reason: A code of :mod:`sparkify.intake.rules`.
        detail: A sentence: which field, which value, what was expected.
        content: Its bytes (the first 16 KiB), as UTF-8 or base64.
        encoding: ``utf-8`` or ``base64``.
    """

    line: int
    byte_offset: int
    reason: str
    detail: str
    content: str
    encoding: str


@dataclass(slots=True)
class Reading:
    """What a file came to: accepted records as JSON lines, rejects, and fields we do not know."""

    lines: list[bytes] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)

    @property
    def records(self) -> int:
        """Records read: each is accepted or rejected."""
        return len(self.lines) + len(self.rejects)


def read_carefully(data: bytes, kind: RecordKind) -> Reading:
    """Read one file's contents, compressed or plain.

    Args:
        data: The whole object.
        kind: The kind of its records.
    """
    plain, damage, altered_from = decompress(data)
    reason = TRUNCATED if altered_from is None else DAMAGED
    told = False
    reading = Reading()
    known = set(kind.keys)
    for span, value in find_records(plain.removeprefix(_BOM), len(_BOM) if plain.startswith(_BOM) else 0):
        try:
            if altered_from is not None and span.offset + len(span.data) > altered_from:
                raise Refusal(DAMAGED, f"this may not be what was written: {damage}")
            if isinstance(value, Refusal):
                raise value
            if not isinstance(value, dict):
                raise Refusal(NOT_AN_OBJECT, f"expected an object, found {_kind(value)}")
            keys = value.keys_as_they_stand if isinstance(value, Repeating) else list(value)
            twice = next((key for key in keys if key in known and keys.count(key) > 1), None)
            if twice is not None:
                raise Refusal(MALFORMED, f"the key {twice!r} stands twice")
            if is_deeper(value, MOST_LEVELS):
                raise Refusal(MALFORMED, f"nested deeper than {MOST_LEVELS} levels")
            values = judge(value, kind)
        except Refusal as refusal:
            verdict = refusal
            if damage and span.last:
                verdict = Refusal(reason, damage)
            told = told or verdict.reason == reason
            reading.rejects.append(_reject(span, verdict))
            continue
        reading.unknown.update(_storable(key) for key in keys if key not in known)
        reading.lines.append(json.dumps(values).encode() + b"\n")
    if damage and not told:
        end = Span(plain.count(b"\n") + 1, len(plain), b"", last=True)
        reading.rejects.append(_reject(end, Refusal(reason, damage)))
    return reading


def _storable(name: str) -> str:
    """Return a field's name as a database can store it: half a surrogate pair and NUL by their escapes."""
    return name.encode(errors="backslashreplace").decode().replace("\0", "\\u0000")


def _kind(value: Any) -> str:
    names = {list: "an array", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _reject(span: Span, refusal: Refusal) -> Reject:
    data = span.data.rstrip(b"\r\n")[:KEPT_BYTES]
    try:
        content, encoding = data.decode(), "utf-8"
        if "\0" in content:
            raise ValueError
    except ValueError:
        content, encoding = base64.b64encode(data).decode(), "base64"
    return Reject(span.line, span.offset, refusal.reason, refusal.detail[:500], content, encoding)
