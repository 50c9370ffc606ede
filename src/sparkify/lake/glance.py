"""A glance at a file's raw bytes: whether they can be what a parser that passes things over makes of them.

Written as most logs are, one flat object a line and no blank around a colon, everything is settled by
counting pairs of bytes, in half the time that :mod:`sparkify.lake.marks` takes. What is counted, and what it
proves once the parser's own counts agree with it:

- Every line ends in ``}`` after a value: no comma trails.
- As many ``":`` as fields are expected, every one before a string, a digit or ``null``: no value is nested,
  NaN or a boolean, unless its key stands before a blank. Every one follows a small letter, as our keys end,
  and no text begins behind a letter, nor is a quote within one behind anything but a backslash: each is the
  end of a key.
- Two quotes for each of these keys and strings, and none besides (escaped ones apart): no key stands before a
  blank.
- Digits only after the keys of numbers: no text is written as a number. As many strings as the parser found
  texts, then: nor is a number written as text.
- As many nulls as the parser found: no field is missing, so none of the fields is unknown.
- No escaped NUL.

What it cannot see is a field under another name that is null in the whole file.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Places = np.ndarray[tuple[int], np.dtype[np.int64]]

# A quarter of this takes a third longer beside a parser: every call takes the interpreter's lock anew.
_BLOCK = 1 << 19
# How much of a key is looked at, its quote and colon included.
_END = 8
# Every byte is looked at with its neighbours: the end of a key before a colon, ``u0000`` after a backslash.
_BEFORE, _AFTER = _END, 5
_AROUND = _BEFORE + _AFTER


# How much a guess goes by, and what it goes by: after keys, or before breaks, what no plain line has.
_GUESSED = 1 << 14
_UNUSUAL = re.compile(rb'":[^"\dn]|[^}\n]\n|\\\\|\\u0000')


@dataclass(slots=True)
class Glance:
    """Counts over a file's plain contents.

    Attributes:
        lines: Lines, a last one without a line break included.
        keys: ``":`` pairs: fields.
        texts: Fields that are strings.
        nulls: Fields that are null.
        quotes: Quotes that are not escaped.
    """

    lines: int = 0
    keys: int = 0
    texts: int = 0
    nulls: int = 0
    quotes: int = 0

    def is_plain(self, fields: int) -> bool:
        """Tell whether these are lines of so many fields each, and nothing else."""
        return self.keys == fields * self.lines and self.quotes == 2 * (self.keys + self.texts)


def looks_plain(path: Path) -> bool | None:
    """Guess from its first bytes whether a glance will settle a file; None where they are compressed."""
    if path.suffix.lower() in (".gz", ".zst"):
        return None
    with path.open("rb", buffering=0) as file:
        return not _UNUSUAL.search(file.read(_GUESSED))


def glance(file: io.BytesIO | io.FileIO, numbers: Iterable[str]) -> Glance | None:
    """Count over a whole file; None as soon as there is something that wants a closer look.

    Args:
        file: Its plain contents.
        numbers: The keys whose values may be numbers.
    """
    buffer = bytearray(_AROUND + max(_BLOCK, _AROUND))
    block = memoryview(buffer)[_AROUND : _AROUND + _BLOCK]
    counter = _Counter(buffer, [f'"{key}":'.encode()[-_END:] for key in numbers])
    read = 0
    while size := file.readinto(block):
        read += size
        if not counter.count(_AROUND + size):
            return None
        buffer[:_AROUND] = buffer[size : size + _AROUND]
    # What was read last is looked at now that nothing follows; a last line gets the break it may lack.
    end = b"" if not read or buffer[_AROUND - 1] == ord("\n") else b"\n"
    buffer[_AROUND : 2 * _AROUND] = end + bytes(_AROUND - len(end))
    return counter.counts if counter.count(2 * _AROUND) else None


class _Counter:
    """Counts over the blocks that come to lie in a buffer."""

    def __init__(self, buffer: bytearray, number_keys: Iterable[bytes]) -> None:
        import numpy as np

        self.counts = Glance()
        self._text = np.frombuffer(buffer, np.uint8)
        # The eight bytes that begin at every byte.
        self._ends = np.ndarray(len(buffer) - _END + 1, "<u8", buffer, strides=(1,))
        self._masks = [np.empty(len(buffer), np.bool_) for _ in range(4)]
        # Shifted, what stands before a shorter key falls out.
        self._number_keys = [
            (np.uint64(8 * (_END - len(end))), np.uint64(int.from_bytes(end, "little")))
            for end in number_keys
        ]

    def count(self, size: int) -> bool:
        """Add a block's counts; False where it wants a closer look. The bytes around it are neighbours."""
        import numpy as np

        text = self._text[:size]
        quote, colon, here, spare = (mask[:size] for mask in self._masks)
        middle = slice(_BEFORE, size - _AFTER)
        before = slice(_BEFORE - 1, size - _AFTER - 1)
        after = slice(_BEFORE + 1, size - _AFTER + 1)
        np.equal(text, ord('"'), out=quote)
        np.equal(text, ord(":"), out=colon)
        counts = self.counts
        counts.quotes += int(np.count_nonzero(quote[middle]))
        keys = np.logical_and(quote[before], colon[middle], out=here[middle])
        found = int(np.count_nonzero(keys))
        # A mask is a number as well: what lies before the letters wraps around to above them.
        letter = np.subtract(text, ord("a"), out=colon.view(np.uint8))
        np.less_equal(letter, 25, out=colon)
        other = np.greater(keys, colon[_BEFORE - 2 : size - _AFTER - 2], out=spare[middle])
        in_text = other.view(np.uint8).max(initial=0)
        np.greater(keys, quote[after], out=keys)
        # Values that are no strings, line breaks and backslashes are few: they are found at once.
        for rare in b"\n\\":
            np.logical_or(here, np.equal(text, rare, out=colon), out=here)
        at = np.flatnonzero(here[middle]) + _BEFORE
        what = text[at]
        others, breaks, escapes = (at[what == byte] for byte in b":\n\\")
        values = text[others + 1]
        digits = others[(values ^ 0x30) <= 9]
        nulls = int(np.count_nonzero((values == ord("n")) & (text[others + 2] == ord("u"))))
        counts.keys += found
        counts.nulls += nulls
        counts.texts += found - len(others)
        counts.lines += len(breaks)
        escaped = text[escapes + 1]
        counts.quotes -= int(np.count_nonzero(escaped == ord('"')))
        value_end = text[breaks - 2]
        return bool(
            not in_text
            and nulls + len(digits) == len(others)
            and (text[breaks - 1] == ord("}")).all()
            and ((value_end > ord(" ")) & (value_end != ord(","))).all()
            and not (escaped == ord("\\")).any()
            and self._are_number_keys(digits)
            and not self._escape_nul(escapes[escaped == ord("u")])
        )

    def _are_number_keys(self, colons: Places) -> bool:
        import numpy as np

        ends = self._ends[colons - (_END - 1)]
        known = np.zeros(len(ends), np.bool_)
        for shift, end in self._number_keys:
            known |= (ends >> shift if shift else ends) == end
        return bool(known.all())

    def _escape_nul(self, escapes: Places) -> bool:
        for place in range(2, 6):
            escapes = escapes[self._text[escapes + place] == ord("0")]
        return len(escapes) > 0
