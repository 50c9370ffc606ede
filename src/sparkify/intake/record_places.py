"""Where the records of one identity stand in a file: what the warehouse knows of a record, found again.

No line number is stored with a row. The file is read again instead, by the rules of the careful reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sparkify.intake.framing import find_records
from sparkify.intake.reader import accept
from sparkify.intake.rules import Refusal
from sparkify.records import RecordKind


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """An accepted record of a file.

    Attributes:
        line: The line where it begins, from 1.
        byte_offset: The byte of the plain contents where it begins, from 0.
        size: How many bytes it has.
        nth_in_line: Which of the records that begin on its line it is, from 1.
        values: Its values by column, as they stand in staging.
    """

    line: int
    byte_offset: int
    size: int
    nth_in_line: int
    values: Mapping[str, Any]


def find_places(
    plain: bytes, kind: RecordKind, identity: Mapping[str, Any], expected: int
) -> list[RecordPlace]:
    """Return where the accepted records of an identity stand, in the order of the file.

    Args:
        plain: The whole contents, not compressed.
        kind: The kind of the file's records; it has a moment.
        identity: The values of the kind's identity, by column.
        expected: How many there are, as the warehouse knows: if the lines that show the moment in digits have
            as many, no other line is parsed.
    """
    digits = str(identity[kind.moment]).encode()
    places = [
        place
        for text, line, at in _lines_with(digits, plain)
        for place in _places(text, kind, identity, line, at)
    ]
    return places if len(places) == expected else list(_places(plain, kind, identity, 1, 0))


def _lines_with(digits: bytes, plain: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the lines that hold some digits, with the number of each and the place of its first byte."""
    line, counted, at = 1, 0, plain.find(digits)
    while at >= 0:
        start, end = plain.rfind(b"\n", 0, at) + 1, plain.find(b"\n", at)
        end = len(plain) if end < 0 else end
        line += plain.count(b"\n", counted, start)
        counted = start
        yield plain[start:end], line, start
        at = plain.find(digits, end)


def _places(
    text: bytes, kind: RecordKind, identity: Mapping[str, Any], line: int, offset: int
) -> Iterator[RecordPlace]:
    """Yield the records of an identity in a stretch of a file that begins on a line and at a byte."""
    keys = [field.accepted_key for field in kind.fields]
    on_line = nth = 0
    for span, value in find_records(text, offset, kind.required_keys):
        nth = nth + 1 if span.line == on_line else 1
        on_line = span.line
        try:
            _, accepted = accept(value, kind)
        except Refusal:
            continue
        values = dict(zip(kind.columns, (accepted[key] for key in keys), strict=True))
        if all(values[column] == identity[column] for column in kind.identity):
            yield RecordPlace(line + span.line - 1, span.offset, len(span.data), nth, values)
