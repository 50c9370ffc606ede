"""A glance at a file's raw bytes: whether they can be what a parser that passes things over makes of them.

Written as most logs are, one flat object a line and no blank around a colon, everything is settled by
counting pairs of bytes, in half the time that :mod:`sparkify.lake.marks` takes. What is counted, and what it
proves once the parser's own counts agree with it:

- Every line ends in ``}`` after a value: no comma trails.
- As many ``":`` as fields are expected, every one before a string, a number or ``null``: no value is nested,
  NaN or a boolean, unless its key stands before a blank.
- Two quotes for each of these keys and strings, and none besides (escaped ones apart): no key does.
- As many strings and nulls as the parser found: no field is missing, so none of the fields is unknown.
- No escaped NUL.

What it cannot see is a field under another name that is null in the whole file.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]

# Half of the second cache of today's processors; half or twice as much takes a tenth longer.
_BLOCK = 1 << 18
# Every byte is looked at with its neighbours: ``,}`` before a line break, ``u0000`` after a backslash.
_BEFORE, _AFTER = 2, 5
_AROUND = _BEFORE + _AFTER


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


def glance(file: io.BytesIO | io.FileIO) -> Glance | None:
    """Count over a whole file; None as soon as there is something that wants a closer look."""
    import numpy as np

    counts = Glance()
    buffer = bytearray(_AROUND + max(_BLOCK, _AROUND))
    block = memoryview(buffer)[_AROUND : _AROUND + _BLOCK]
    text = np.frombuffer(buffer, np.uint8)
    masks = tuple(np.empty(len(buffer), np.bool_) for _ in range(3))
    read = 0
    while size := file.readinto(block):
        read += size
        if not _count(counts, text[: _AROUND + size], masks):
            return None
        buffer[:_AROUND] = buffer[size : size + _AROUND]
    # What was read last is looked at now that nothing follows; a last line gets the break it may lack.
    end = b"" if not read or buffer[_AROUND - 1] == ord("\n") else b"\n"
    buffer[_AROUND : 2 * _AROUND] = end + bytes(_AROUND - len(end))
    return counts if _count(counts, text[: 2 * _AROUND], masks) else None


def _count(
    counts: Glance, text: Bytes, masks: tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], ...]
) -> bool:
    """Add a block's counts; False where it wants a closer look. The bytes around it are neighbours only."""
    import numpy as np

    quote, colon, here = (mask[: len(text)] for mask in masks)
    middle = slice(_BEFORE, len(text) - _AFTER)
    before = slice(_BEFORE - 1, len(text) - _AFTER - 1)
    after = slice(_BEFORE + 1, len(text) - _AFTER + 1)
    np.equal(text, ord('"'), out=quote)
    np.equal(text, ord(":"), out=colon)
    counts.quotes += int(np.count_nonzero(quote[middle]))
    keys = np.logical_and(quote[before], colon[middle], out=here[middle])
    found = int(np.count_nonzero(keys))
    others = text[after][np.flatnonzero(np.greater(keys, quote[after], out=keys))]
    nulls = int(np.count_nonzero(others == ord("n")))
    counts.keys += found
    counts.nulls += nulls
    counts.texts += found - len(others)
    # What is rare is found at once: line breaks and backslashes.
    np.equal(text, ord("\n"), out=here)
    np.logical_or(here, np.equal(text, ord("\\"), out=colon), out=here)
    at = np.flatnonzero(here[middle]) + _BEFORE
    escaping = text[at] == ord("\\")
    escapes, breaks = at[escaping], at[~escaping]
    counts.lines += len(breaks)
    escaped = text[escapes + 1]
    counts.quotes -= int(np.count_nonzero(escaped == ord('"')))
    value_end = text[breaks - 2]
    return bool(
        nulls + np.count_nonzero((others ^ 0x30) <= 9) == len(others)
        and (text[breaks - 1] == ord("}")).all()
        and ((value_end > ord(" ")) & (value_end != ord(","))).all()
        and not (escaped == ord("\\")).any()
        and not _escapes_nul(text, escapes[escaped == ord("u")])
    )


def _escapes_nul(text: Bytes, escapes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> bool:
    for place in range(2, 6):
        escapes = escapes[text[escapes + place] == ord("0")]
    return len(escapes) > 0
