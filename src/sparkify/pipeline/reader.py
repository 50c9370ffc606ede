"""The careful reader: one file, record by record, where the fast path was not sure of it.

Every line ends up accepted or refused; nothing is passed over. Array files and objects printed over
several lines are read; a byte order mark and CRLF are taken in stride; blank lines are no records. Of a
compressed file whose check sum is wrong nothing is accepted.
"""

from __future__ import annotations

import base64
import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sparkify.lake.codec import decompress
from sparkify.pipeline.rules import (
    DAMAGED,
    INVALID_UTF8,
    MALFORMED,
    NOT_AN_OBJECT,
    TRUNCATED,
    Number,
    Refusal,
    judge,
)
from sparkify.warehouse.fields import Field

_BOM = b"\xef\xbb\xbf"
# What may stand around a record on its line, C's isspace(), as engines have it.
_BLANKS = " \t\n\v\f\r"
# How much of a refused record is kept.
KEPT_BYTES = 16_384
# The longest that a part of a token may be that ends a file: ``-0.1234`` or ``\\u00e``.
_LONGEST_TOKEN = 8
# Characters of a record that are looked at first.
_WINDOW = 4096
# Whole numbers of more digits are kept as text: no column holds them, and Python refuses more than 4,300.
_MOST_DIGITS = 400


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that was not accepted.

    Attributes:
        line: Where it begins, from 1.
        byte_offset: Where it begins in the plain contents, from 0.
        reason: A code of :mod:`sparkify.pipeline.rules`.
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


@dataclass(frozen=True, slots=True)
class _Span:
    """A record's bytes and where they begin."""

    line: int
    offset: int
    data: bytes
    last: bool


def read_carefully(data: bytes, fields: Sequence[Field]) -> Reading:
    """Read one file's contents, compressed or plain.

    Args:
        data: The whole object.
        fields: The fields of its kind.
    """
    plain, damage, doubtful_from = decompress(data)
    reason = TRUNCATED if doubtful_from is None else DAMAGED
    told = False
    reading = Reading()
    known = {each.key for each in fields}
    for span, value in _records(plain.removeprefix(_BOM), len(_BOM) if plain.startswith(_BOM) else 0):
        try:
            if doubtful_from is not None and span.offset + len(span.data) > doubtful_from:
                raise Refusal(DAMAGED, f"this may not be what was written: {damage}")
            if isinstance(value, Refusal):
                raise value
            if not isinstance(value, dict):
                raise Refusal(NOT_AN_OBJECT, f"expected an object, found {_kind(value)}")
            keys = value.keys_as_they_stand if isinstance(value, _Repeating) else list(value)
            twice = next((key for key in keys if key in known and keys.count(key) > 1), None)
            if twice is not None:
                raise Refusal(MALFORMED, f"the key {twice!r} stands twice")
            values = judge(value, fields)
        except Refusal as refusal:
            verdict = refusal
            if damage and span.last:
                verdict = Refusal(reason, damage)
            told = told or verdict.reason == reason
            reading.rejects.append(_reject(span, verdict))
            continue
        # Half a surrogate pair cannot be stored; its escape can.
        reading.unknown.update(
            key.encode(errors="backslashreplace").decode() for key in keys if key not in known
        )
        reading.lines.append(json.dumps(values).encode() + b"\n")
    if damage and not told:
        end = _Span(plain.count(b"\n") + 1, len(plain), b"", last=True)
        reading.rejects.append(_reject(end, Refusal(reason, damage)))
    return reading


def _records(data: bytes, offset: int) -> Iterator[tuple[_Span, Any]]:
    """Yield every record's place and its value, or the :class:`Refusal` of one that cannot be parsed."""
    if data.lstrip()[:1] == b"[":
        try:
            text = data.decode()
        except UnicodeDecodeError:
            pass  # by lines, so that those that are UTF-8 are read
        else:
            if _is_array(text):
                yield from _array(text, offset)
                return
    yield from _by_lines(data, offset, 1)


def _by_lines(data: bytes, offset: int, first: int) -> Iterator[tuple[_Span, Any]]:
    """Yield the records that stand on lines, or are printed over several; ``first`` is the first's number.

    Of a printed object that breaks off every line is refused by itself: what it holds is no record.
    """
    lines = data.split(b"\n")
    at = 0
    broken: _Broken | None = None
    while at < len(lines):
        line = lines[at]
        span = 1
        if line.strip():
            broken = broken if broken and _indent(line) > broken.indent else None
            value = broken.refusal if broken else _parse(line)
            if isinstance(value, Refusal) and not broken and line.lstrip()[:1] == b"{":
                value, span = _printed(lines, at, value)
                if isinstance(value, Refusal) and _is_printed(lines, at):
                    broken = _Broken(first + at, _indent(line))
            last = at + span >= len(lines)
            if isinstance(value, Refusal) and last:
                value = _cut_short(line, value)
            record = b"\n".join(lines[at : at + span])
            yield _Span(first + at, offset, record, last), value
        offset += sum(len(each) + 1 for each in lines[at : at + span])
        at += span


@dataclass(frozen=True, slots=True)
class _Broken:
    """An object that breaks off: the lines indented deeper than its own are part of it."""

    line: int
    indent: int

    @property
    def refusal(self) -> Refusal:
        return Refusal(MALFORMED, f"part of what breaks off on line {self.line:,} or after it")


def _indent(line: bytes) -> int:
    return len(line) - len(line.lstrip(b" \t"))


def _cut_short(line: bytes, refusal: Refusal) -> Refusal:
    """Return the refusal of a file's last record, without a line break after it, by its likely cause."""
    if refusal.reason == MALFORMED and line.lstrip()[:1] == b"{" and _ends_inside(line.decode().strip()):
        return Refusal(TRUNCATED, f"the file ends inside a record ({refusal.detail})")
    return refusal


def _ends_inside(text: str) -> bool:
    """Tell whether what is wrong with a record is that it ends too early."""
    try:
        _decoder.decode(text)
    except json.JSONDecodeError as exc:
        # A literal, number or escape that is cut is refused from its beginning on.
        cut = len(text) - exc.pos <= _LONGEST_TOKEN and "}" not in text[exc.pos :]
        return exc.msg.startswith("Unterminated") or (cut and exc.msg != "Extra data")
    except (ValueError, RecursionError, Refusal):
        return False
    return False


def _is_printed(lines: Sequence[bytes], at: int) -> bool:
    """Tell whether an object that begins here is printed over several lines: a key stands below, indented."""
    below = lines[at + 1] if at + 1 < len(lines) else b""
    return _indent(below) > _indent(lines[at]) and below.lstrip()[:1] == b'"'


def _printed(lines: Sequence[bytes], at: int, refusal: Refusal) -> tuple[Any, int]:
    """Parse an object printed over several lines; return it, or the refusal, and how many lines it takes."""
    count = 1
    while at + count < len(lines):
        count *= 4
        try:
            text = b"\n".join(lines[at : at + count]).decode().lstrip(_BLANKS)
            value, end = _decoder.raw_decode(text)
        except json.JSONDecodeError as exc:
            if exc.doc[exc.pos :].strip(_BLANKS + ",:"):
                break  # not only for want of more lines
        except (ValueError, RecursionError, Refusal):
            break
        else:
            behind = text[end:].partition("\n")[0]
            return (refusal, 1) if behind.strip(_BLANKS) else (value, 1 + text.count("\n", 0, end))
    return refusal, 1


def _is_array(text: str) -> bool:
    """Tell whether what begins with a bracket is an array of records, or a whole array of anything."""
    start = text.index("[")
    if text[_skip(text, start + 1) :][:1] in ("", "{", "]"):
        return True
    try:
        _decode_at(text, start)
    except (ValueError, RecursionError, Refusal):
        return False
    return True


def _array(text: str, offset: int) -> Iterator[tuple[_Span, Any]]:
    """Yield the elements of an array file, and what follows it by lines.

    An element that breaks off is refused with the rest of its line, and so is every line indented deeper than
    that: where the next one begins, the array goes on.
    """
    place = _Place(text, offset)
    place.move(_skip(text, text.index("[") + 1))
    last = False
    while place.at < len(text) and text[place.at] != "]":
        try:
            value, end = _decode_at(text, place.at)
            after = _skip(text, end)
            if after == end and text[end : end + 1] not in ("]", ""):
                raise ValueError("no comma follows")
        except (ValueError, RecursionError) as exc:
            refusal = Refusal(MALFORMED, f"the array breaks off: {_why(exc)}")
        except Refusal as exc:
            refusal = exc
        else:
            yield place.span(end), value
            place.move(after)
            continue
        broken = _Broken(place.line, place.indent)
        while True:
            end = place.line_end
            last = end >= len(text)
            yield place.span(end), refusal
            place.move(_skip(text, end))
            if last or place.indent <= broken.indent:
                break
            refusal = broken.refusal
    if place.at < len(text):
        yield from _by_lines(text[place.at + 1 :].encode(), place.offset + 1, place.line)
    elif not last:
        yield place.span(place.at), Refusal(TRUNCATED, "the file ends inside an array")


def _decode_at(text: str, at: int) -> tuple[Any, int]:
    """Return the value that begins at a place, and where it ends.

    Looks at a little of the text, and at more where that ends too early: the parser counts all lines before
    an error, which in a large file with many of them would take hours.
    """
    size = _WINDOW
    while True:
        window = text[at : at + size]
        cut = at + size < len(text)
        try:
            value, end = _decoder.raw_decode(window)
        except json.JSONDecodeError as exc:
            inside = exc.pos < len(window) - _LONGEST_TOKEN and not exc.msg.startswith(
                ("Unterminated", "Invalid")
            )
            if inside or not cut:
                raise
        else:
            if end < len(window) or not cut:  # else a number may go on
                return value, at + end
        size *= 4


@dataclass(slots=True)
class _Place:
    """A place in a text that moves on, and what it is in lines and bytes."""

    text: str
    offset: int
    at: int = 0
    line: int = 1

    def move(self, to: int) -> None:
        """Go on to there."""
        passed = self.text[self.at : to]
        self.line += passed.count("\n")
        self.offset += len(passed.encode())
        self.at = to

    def span(self, end: int) -> _Span:
        """Return what reaches from here to ``end``."""
        data = self.text[self.at : end].encode()
        return _Span(self.line, self.offset, data, last=end >= len(self.text))

    @property
    def line_end(self) -> int:
        """Where this line ends."""
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end

    @property
    def indent(self) -> int:
        """How far this line is indented."""
        line = self.text[self.text.rfind("\n", 0, self.at) + 1 : self.at + 1]
        return len(line) - len(line.lstrip(" \t"))


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at


def _parse(data: bytes) -> Any:
    """Return the one value in ``data``, or a :class:`Refusal`."""
    try:
        return _decoder.decode(data.decode().strip(_BLANKS))
    except UnicodeDecodeError as exc:
        return Refusal(INVALID_UTF8, f"byte {exc.start} of the record is not UTF-8")
    except Refusal as refusal:
        return refusal
    except (ValueError, RecursionError) as exc:
        return Refusal(MALFORMED, _why(exc))


class _Repeating(dict[str, Any]):
    """An object in which a key stands more than once."""

    keys_as_they_stand: Sequence[str] = ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    repeating = _Repeating(value)
    repeating.keys_as_they_stand = [key for key, _ in pairs]
    return repeating


def _constant(name: str) -> Any:
    raise Refusal(MALFORMED, f"{name} is not JSON")


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= _MOST_DIGITS else text


def _real(text: str) -> Number | str:
    """Return a number; one that no double holds stays text, as engines leave it in text columns."""
    number = Number(text)
    return number if math.isfinite(number) else text


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_int=_whole, parse_float=_real
)


def _why(exc: Exception) -> str:
    if isinstance(exc, json.JSONDecodeError):
        return f"{exc.msg}, column {exc.colno}"
    return "nested too deeply" if isinstance(exc, RecursionError) else str(exc)[:200]


def _kind(value: Any) -> str:
    names = {list: "an array", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _reject(span: _Span, refusal: Refusal) -> Reject:
    data = span.data.rstrip(b"\r\n")[:KEPT_BYTES]
    try:
        content, encoding = data.decode(), "utf-8"
        if "\0" in content:
            raise ValueError
    except ValueError:
        content, encoding = base64.b64encode(data).decode(), "base64"
    return Reject(span.line, span.offset, refusal.reason, refusal.detail[:500], content, encoding)
