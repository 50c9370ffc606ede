"""The careful reader: one file, record by record, where the fast path was not sure of it.

Every line ends up accepted or refused; none is ignored. Array files and objects printed over
several lines are read; a byte order mark and CRLF are taken in stride; blank lines are no records. Of a
compressed file whose check sum is wrong nothing is accepted.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sparkify.intake.adopted import adopted_values
from sparkify.intake.content import content_of
from sparkify.intake.extra import extra_of, storable
from sparkify.intake.framing import Span, find_records
from sparkify.intake.parse import MOST_LEVELS, Repeating, is_deeper, pairs_of
from sparkify.intake.rules import DAMAGED, KEPT_BYTES, MALFORMED, NOT_AN_OBJECT, TRUNCATED, Refusal, judge
from sparkify.lake.codec import decompress
from sparkify.records import EXTRA_KEY, RecordKind

# About how many bytes a record has, where a file has none to tell.
_USUAL_BYTES = 300


class Reject(NamedTuple):
    """A record that was not accepted.

    Attributes:
        line: Where it begins, from 1.
        byte_offset: Where it begins in the plain contents, from 0.
        reason: A code of :mod:`sparkify.intake.rules`.
        detail: A sentence: which field, which value, what was expected.
        content: Its bytes (the first 16 KiB), as UTF-8 or base64.
        encoding: ``utf-8`` or ``base64``.
        size: How many bytes it has in the file.
        whole: Whether it is one record, of which beginning and end are known; else it may hold several.
    """

    line: int
    byte_offset: int
    reason: str
    detail: str
    content: str
    encoding: str
    size: int
    whole: bool


@dataclass(slots=True)
class Reading:
    """What a file came to: accepted records as JSON lines and their bytes, rejects, fields we do not know.

    ``content`` is the hash of its plain contents (:mod:`sparkify.intake.content`).
    """

    lines: list[bytes] = field(default_factory=list)
    accepted_bytes: int = 0
    rejects: list[Reject] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    content: str | None = None

    @property
    def records(self) -> int:
        """Records read: each is accepted or rejected."""
        return len(self.lines) + len(self.rejects)

    @property
    def weight(self) -> int:
        """How many records the rejects may be: a stretch that cannot be divided counts by its bytes."""
        mean = self.accepted_bytes / len(self.lines) if self.lines else _USUAL_BYTES
        return sum(1 if each.whole else max(1, int(each.size / mean)) for each in self.rejects)


def read_carefully(data: bytes, kind: RecordKind) -> Reading:
    """Read one file's contents, compressed or plain.

    Args:
        data: The whole object.
        kind: The kind of its records.
    """
    plain, damage, altered_from = decompress(data)
    reason = TRUNCATED if altered_from is None else DAMAGED
    told = False
    reading = Reading(content=None if damage else content_of(plain))
    known = set(kind.keys)
    for span, value in find_records(plain, 0, kind.required_keys):
        try:
            if altered_from is not None and span.offset + len(span.data) > altered_from:
                raise Refusal(DAMAGED, f"this may not be what was written: {damage}")
            keys, values = accept(value, kind)
        except Refusal as refusal:
            verdict = refusal
            if damage and span.last:
                verdict = Refusal(reason, damage)
            told = told or verdict.reason == reason
            reading.rejects.append(_reject(span, verdict, whole=not isinstance(value, Refusal)))
            continue
        reading.unknown.update(storable(key) for key in keys if key not in known)
        reading.accepted_bytes += len(span.data)
        reading.lines.append(json.dumps(values).encode() + b"\n")
    if damage and not told:
        end = Span(plain.count(b"\n") + 1, len(plain), b"", last=True)
        reading.rejects.append(_reject(end, Refusal(reason, damage), whole=False))
    return reading


def accept(value: Any, kind: RecordKind) -> tuple[Sequence[str], dict[str, Any]]:
    """Return the keys of a record as they stand in the file, and its values by their accepted keys.

    First those that :func:`judge` gives, then those of adopted fields; the last is the text of ``extra``.

    Args:
        value: What :func:`find_records` found.
        kind: The kind of the record.

    Raises:
        Refusal: It is not accepted.
    """
    if isinstance(value, Refusal):
        raise value
    if not isinstance(value, dict):
        raise Refusal(NOT_AN_OBJECT, f"expected an object, found {_kind(value)}")
    keys = [key for key, _ in pairs_of(value)]
    if isinstance(value, Repeating):
        known = {field.key for field in kind.built_in}
        twice = next((key for key in keys if key in known and keys.count(key) > 1), None)
        if twice is not None:
            raise Refusal(MALFORMED, f"the key {twice!r} stands twice")
    if is_deeper(value, MOST_LEVELS):
        raise Refusal(MALFORMED, f"nested deeper than {MOST_LEVELS} levels")
    values = judge(value, kind)
    adopted = adopted_values(value, kind.adopted)
    kept = extra_of(value, adopted.held.union(values))
    values |= {field.accepted_key: adopted.columns[field.column] for field in kind.adopted}
    return keys, {**values, EXTRA_KEY: kept}


def _kind(value: Any) -> str:
    names = {list: "an array", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _reject(span: Span, refusal: Refusal, *, whole: bool) -> Reject:
    record = span.data.rstrip(b"\r\n")
    data = record[:KEPT_BYTES]
    try:
        content, encoding = data.decode(), "utf-8"
        if "\0" in content:
            raise ValueError
    except ValueError:
        content, encoding = base64.b64encode(data).decode(), "base64"
    detail = refusal.detail[:500]
    return Reject(span.line, span.offset, refusal.reason, detail, content, encoding, len(record), whole)
