"""Where one record ends and the next begins, in a file that may be broken anywhere.

Records are JSON objects. They stand on lines, are printed over several, or follow each other with blanks, a
carriage return, a comma, or nothing between them; they are the elements of an array, or of the array in a
wrapper, an object of one key such as ``{"Records": [ … ]}``. Where one breaks off, what is lost ends with
the line, or before the next object in it that has every required field: other objects may be values within
the broken one. What a broken object printed over several lines holds is never taken for a record.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sparkify.intake.parse import BLANKS as _BLANKS
from sparkify.intake.parse import LONGEST_TOKEN, decode_at, decoder, parse
from sparkify.intake.rules import MALFORMED, TRUNCATED, Refusal

# What may stand between records: C's isspace(), as engines have it, a comma, the separator of RFC 7464, and a
# byte order mark where files were joined.
_BETWEEN = re.compile("[ \t\n\v\f\r,\x1e\ufeff]*")
# The beginning of an object whose first value is an array of objects.
_WRAPPER = re.compile(r'\{\s*"(?:[^"\\\n]|\\.)*"\s*:\s*(?=\[\s*\{)')
# What stands for bytes that are not UTF-8 (Python's surrogateescape).
_NOT_UTF8 = re.compile("[\udc80-\udcff]")

_INDENT = re.compile(r"[ \t]*")
_KEY_BELOW = re.compile(r'\n([ \t]*)"(?:[^"\\\n]|\\.)*"[ \t]*:')


@dataclass(frozen=True, slots=True)
class Span:
    """A record's bytes and where they begin.

    Attributes:
        line: The line, from 1.
        offset: The byte, from 0.
        data: The bytes.
        last: Whether the file ends with it.
    """

    line: int
    offset: int
    data: bytes
    last: bool


def find_records(data: bytes, offset: int, required: Sequence[str]) -> Iterator[tuple[Span, Any]]:
    """Yield every record's place and its value, or the :class:`Refusal` of what cannot be parsed.

    Args:
        data: The plain contents.
        offset: The place of their first byte in the file.
        required: The keys that every record has: an object after a break is a record if it has them.
    """
    try:
        text, sound = data.decode(), True
    except UnicodeDecodeError:
        text, sound = data.decode(errors="surrogateescape"), False
    return _Finder(text, offset, required, sound=sound).records()


@dataclass(frozen=True, slots=True)
class _BrokenObject:
    """An object that breaks off: the lines indented deeper than its own are part of it."""

    line: int
    indent: int

    @property
    def refusal(self) -> Refusal:
        return Refusal(MALFORMED, f"part of what breaks off on line {self.line:,} or after it")


class _Finder:
    """Goes through a text from record to record.

    Args:
        text: The text; bytes that are not UTF-8 are surrogates.
        offset: The place of its first byte in the file.
        required: The keys that every record has.
        sound: Whether all bytes are UTF-8.
    """

    def __init__(self, text: str, offset: int, required: Sequence[str], *, sound: bool) -> None:
        self._text = text
        self._place = _Place(text, offset)
        self._required = required
        self._sound = sound
        # Behind this there is no object with all of them.
        self._last_key = min((text.rfind(f'"{key}"') for key in required), default=-1)
        self._broken: _BrokenObject | None = None

    def records(self) -> Iterator[tuple[Span, Any]]:
        """Yield the records, those in arrays included."""
        while self._move_to_next():
            at = self._place.at
            first = self._text[at]
            if first == "[" and not self._broken and self._is_array(at):
                yield from self._array()
                continue
            value, end = self._decode(at) if first == "{" else (None, -1)
            array = self._array_in(value, end)
            if array >= 0:
                self._place.move(array)
                yield from self._array()
                self._pass_over("}")
            elif end >= 0 and not self._broken:
                yield self._take(end, value)
            else:
                yield self._take_broken()

    def _array(self) -> Iterator[tuple[Span, Any]]:
        """Yield the elements of an array that begins here; what follows it is left."""
        self._place.move(self._place.at + 1)
        last = False
        while self._move_to_next():
            at = self._place.at
            if self._text[at] == "]":
                self._place.move(at + 1)
                self._broken = None
                return
            value, end = self._decode(at)
            if end >= 0 and not self._broken:
                span, value = self._take(end, value)
            else:
                span, value = self._take_broken("the array breaks off: ")
            last = span.last
            yield span, value
        if not last:
            yield self._place.span(self._place.at), Refusal(TRUNCATED, "the file ends inside an array")

    def _move_to_next(self) -> bool:
        """Go to what is no separator; False at the end of the text."""
        between = _BETWEEN.match(self._text, self._place.at)
        assert between
        self._place.move(between.end())
        if self._broken and self._place.indent <= self._broken.indent:
            self._broken = None
        return self._place.at < len(self._text)

    def _decode(self, at: int) -> tuple[Any, int]:
        """Return the value that begins at a place and its end, or None and -1."""
        try:
            value, end = decode_at(self._text, at)
        except (ValueError, RecursionError, Refusal):
            return None, -1
        if not self._sound and _NOT_UTF8.search(self._text, at, end):
            return None, -1
        return value, end

    def _is_record(self, value: Any) -> bool:
        return isinstance(value, dict) and all(key in value for key in self._required)

    def _end_of_blanks(self, at: int) -> int:
        between = _BETWEEN.match(self._text, at)
        assert between
        return between.end()

    def _is_array(self, at: int) -> bool:
        """Tell whether what begins with a bracket is an array of records: an object comes first.

        An array that begins with something else is one if an object is among its elements; an empty one is,
        where it is the first in the file.
        """
        start = self._end_of_blanks(at + 1)
        first = self._text[start : start + 1]
        if first == "{" or not first:
            return True
        if first == "]":
            return not self._text[:at].strip(_BLANKS + "\ufeff")
        value, end = self._decode(at)
        if end >= 0:
            return any(isinstance(each, dict) for each in value)
        _, end = self._decode(start)  # it breaks off later
        return end >= 0 and self._text[end:].lstrip(_BLANKS)[:1] in (",", "]")

    def _array_in(self, value: Any, end: int) -> int:
        """Return where the array of a wrapper begins that begins here; -1: it is none.

        Args:
            value: The object, if it was parsed.
            end: Its end; -1: it breaks off. Then the first element must be a record.
        """
        if self._broken or self._text[self._place.at] != "{":
            return -1
        if end >= 0:
            if not (isinstance(value, dict) and len(value) == 1):
                return -1
            (inside,) = value.values()
            if not (isinstance(inside, list) and any(isinstance(each, dict) for each in inside)):
                return -1
            return self._text.index("[", self._after_key(self._place.at))
        head = _WRAPPER.match(self._text, self._place.at)
        if not head:
            return -1
        element, _ = self._decode(self._end_of_blanks(head.end() + 1))
        return head.end() if self._is_record(element) else -1

    def _after_key(self, at: int) -> int:
        """Return the place behind the first key of the object that begins at a place."""
        _, end = decode_at(self._text, self._text.index('"', at))
        return end

    def _pass_over(self, closing: str) -> None:
        """Go past what closes a wrapper, if it is here."""
        at = self._end_of_blanks(self._place.at)
        if self._text[at : at + 1] == closing:
            self._place.move(at + 1)

    def _take(self, end: int, value: Any) -> tuple[Span, Any]:
        """Return what reaches to a place, and go there."""
        span = self._place.span(end)
        self._place.move(end)
        return span, value

    def _take_broken(self, where: str = "") -> tuple[Span, Any]:
        """Return what cannot be parsed up to where reading resumes, and go there."""
        end = self._place.line_end if self._broken else self._resume()
        span = self._place.span(end)
        value = self._broken.refusal if self._broken else parse(span.data)
        if isinstance(value, Refusal) and span.last:
            value = _cut_short(span.data, value)
        if isinstance(value, Refusal) and where and not self._broken and value.reason == MALFORMED:
            value = Refusal(MALFORMED, where + value.detail)
        if not self._broken and self._text[self._place.at] == "{" and (where or self._is_printed(end)):
            self._broken = _BrokenObject(self._place.line, self._place.indent)
        self._place.move(end)
        return span, value

    def _resume(self) -> int:
        """Return where reading goes on after a break: at the next record in this line, or behind the line."""
        line_end = self._place.line_end
        at = self._text.find("{", self._place.at + 1, line_end)
        while 0 <= at < self._last_key:
            value, end = self._decode(at)
            if self._is_record(value):
                return at
            # Into an object only if a record may be inside.
            inside = end < 0 or all(self._text.find(f'"{key}"', at, end) >= 0 for key in self._required)
            at = self._text.find("{", at + 1 if inside else end, line_end)
        return line_end

    def _is_printed(self, line_end: int) -> bool:
        """Tell whether an object that breaks off is printed over lines: a key stands below, indented."""
        below = _KEY_BELOW.match(self._text, line_end)
        return below is not None and len(below[1]) > self._place.indent


def _cut_short(record: bytes, refusal: Refusal) -> Refusal:
    """Return the refusal of a file's last record, without a line break after it, by its likely cause."""
    if refusal.reason == MALFORMED and record[:1] == b"{" and _ends_inside(record.decode().strip()):
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


@dataclass(slots=True)
class _Place:
    """A place in a text that moves on, and what it is in lines and bytes."""

    text: str
    offset: int
    at: int = 0
    line: int = 1
    _line_at: int = 0
    _line_end: int = -1

    def move(self, to: int) -> None:
        """Go on to there."""
        passed = self.text[self.at : to]
        self.line += passed.count("\n")
        if (last_break := passed.rfind("\n")) >= 0:
            self._line_at = self.at + last_break + 1
        self.offset += len(passed) if passed.isascii() else len(_encoded(passed))
        self.at = to

    def span(self, end: int) -> Span:
        """Return what reaches from here to ``end``."""
        return Span(self.line, self.offset, _encoded(self.text[self.at : end]), last=end >= len(self.text))

    @property
    def line_end(self) -> int:
        """Where this line ends."""
        if self._line_end < self.at:
            end = self.text.find("\n", self.at)
            self._line_end = len(self.text) if end < 0 else end
        return self._line_end

    @property
    def indent(self) -> int:
        """How far this line is indented."""
        indent = _INDENT.match(self.text, self._line_at)
        return len(indent[0]) if indent else 0


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
