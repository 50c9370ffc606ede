"""Where one record ends and the next begins, in a file that may be broken anywhere.

Records stand on lines, are printed over several, or are the elements of an array. Where one breaks off, each
of its lines is refused by itself; what an object holds inside is never taken for a record of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sparkify.intake.parse import BLANKS, LONGEST_TOKEN, decode_at, decoder, parse, why
from sparkify.intake.rules import MALFORMED, TRUNCATED, Refusal


@dataclass(frozen=True, slots=True)
class Span:
    """A record's bytes and where they begin."""

    line: int
    offset: int
    data: bytes
    last: bool


def find_records(data: bytes, offset: int) -> Iterator[tuple[Span, Any]]:
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


def _by_lines(data: bytes, offset: int, first: int) -> Iterator[tuple[Span, Any]]:
    """Yield the records that stand on lines, or are printed over several; ``first`` is the first's number.

    Of a printed object that breaks off every line is refused by itself: what it holds is no record.
    """
    lines = data.split(b"\n")
    at = 0
    broken: _BrokenObject | None = None
    while at < len(lines):
        line = lines[at]
        span = 1
        if line.strip():
            broken = broken if broken and _indent(line) > broken.indent else None
            value = broken.refusal if broken else parse(line)
            if isinstance(value, Refusal) and not broken and line.lstrip()[:1] == b"{":
                value, span = _printed(lines, at, value)
                if isinstance(value, Refusal) and _is_printed(lines, at):
                    broken = _BrokenObject(first + at, _indent(line))
            last = at + span >= len(lines)
            if isinstance(value, Refusal) and last:
                value = _cut_short(line, value)
            record = b"\n".join(lines[at : at + span])
            yield Span(first + at, offset, record, last), value
        offset += sum(len(each) + 1 for each in lines[at : at + span])
        at += span


@dataclass(frozen=True, slots=True)
class _BrokenObject:
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
        decoder.decode(text)
    except json.JSONDecodeError as exc:
        # A literal, number or escape that is cut is refused from its beginning on.
        cut = len(text) - exc.pos <= LONGEST_TOKEN and "}" not in text[exc.pos :]
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
        data, sound = b"\n".join(lines[at : at + count]), True
        try:
            text = data.decode()
        except UnicodeDecodeError as exc:  # in a later record, it may be
            text, sound = data[: exc.start].decode(), False
        text = text.lstrip(BLANKS)
        try:
            value, end = decoder.raw_decode(text)
        except json.JSONDecodeError as exc:
            if not sound or exc.doc[exc.pos :].strip(BLANKS + ",:"):
                break  # not only for want of more lines
        except (ValueError, RecursionError, Refusal):
            break
        else:
            behind, line_break, _ = text[end:].partition("\n")
            alone = not behind.strip(BLANKS) and (sound or line_break)
            return (value, 1 + text.count("\n", 0, end)) if alone else (refusal, 1)
    return refusal, 1


def _is_array(text: str) -> bool:
    """Tell whether what begins with a bracket is an array: an object comes first, or a comma second."""
    start = _skip(text, text.index("[") + 1)
    if text[start : start + 1] in ("", "{", "]"):
        return True
    try:
        _, end = decode_at(text, start)
    except (ValueError, RecursionError, Refusal):
        return False
    return text[end:].lstrip(BLANKS)[:1] in (",", "]")


def _array(text: str, offset: int) -> Iterator[tuple[Span, Any]]:
    """Yield the elements of an array file, and what follows it by lines.

    An element that breaks off is refused with the rest of its line, and so is every line indented deeper than
    that: where the next one begins, the array goes on.
    """
    place = _Place(text, offset)
    place.move(_skip(text, text.index("[") + 1))
    last = False
    while place.at < len(text) and text[place.at] != "]":
        try:
            value, end = decode_at(text, place.at)
            after = _skip(text, end)
            if after == end and text[end : end + 1] not in ("]", ""):
                raise ValueError("no comma follows")
        except (ValueError, RecursionError) as exc:
            refusal = Refusal(MALFORMED, f"the array breaks off: {why(exc)}")
        except Refusal as exc:
            refusal = exc
        else:
            yield place.span(end), value
            place.move(after)
            continue
        broken = _BrokenObject(place.line, place.indent)
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

    def span(self, end: int) -> Span:
        """Return what reaches from here to ``end``."""
        data = self.text[self.at : end].encode()
        return Span(self.line, self.offset, data, last=end >= len(self.text))

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
