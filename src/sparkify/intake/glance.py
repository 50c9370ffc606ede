"""A pre-scan of a file's raw bytes: whether they can be what a lenient parser makes of them.

Written as most logs are, one flat object a line and no blank around a colon, everything is settled by
counting pairs of bytes, in half the time that :mod:`sparkify.intake.marks` takes. What is counted, and what
it proves once the parser's own counts agree with it:

- Every line ends in ``}`` after a value: no comma trails.
- No more ``":`` than there are fields, every one before a string, a digit or ``null``: no value is nested,
  NaN or a boolean, unless its key stands before a blank. Every one follows a small letter, as our keys end,
  and no text begins behind a letter, nor is a quote within one behind anything but a backslash: each is the
  end of a key.
- Two quotes for each of these keys and strings, and none besides (escaped ones apart): no key stands before a
  blank.
- Digits only after the keys of numbers: no text is written as a number. As many strings as the parser found
  texts, then: nor is a number written as text.
- As many ``":`` as the parser found values and the file has nulls, all after known keys: no field is unknown.
- No escaped NUL.

Where a null stands after another key, that alone is said (:attr:`Glance.unknown_null`): no value is lost with
it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from sparkify.intake.content import HashedFile

    Places = np.ndarray[tuple[int], np.dtype[np.int64]]
    Words = np.ndarray[tuple[int], np.dtype[np.uint64]]

# A quarter of this takes a third longer beside a parser: every call takes the interpreter's lock anew.
_BLOCK = 1 << 19
# Of the key of a number the last word is looked at, its quote and colon included, of the key of a null two.
_WORD = 8
# Every byte is looked at with its neighbours: the end of a key before a colon, ``u0000`` after a backslash.
_BEFORE, _AFTER = 2 * _WORD, 5
_AROUND = _BEFORE + _AFTER
# Keys of nulls that are looked at together: of few at a time the calls would cost more than the work.
_NOTED = 1 << 16
# How much a guess goes by, and what it goes by: after keys, or before breaks, what no plain line has.
_GUESSED = 1 << 14
# Each begins with what is searched for as a whole: as one expression they take eleven times as long.
_UNUSUAL = tuple(map(re.compile, (rb'":[^"\dn]', rb"\n(?<=[^}\n]\n)", rb"\\(?:\\|u0000)")))


@dataclass(slots=True)
class Glance:
    """Counts over a file's plain contents.

    Attributes:
        lines: Lines, a last one without a line break included.
        keys: ``":`` pairs: fields.
        texts: Fields that are strings.
        nulls: Fields that are null.
        quotes: Quotes that are not escaped.
        unknown_null: Whether a field is null that is none of the known ones.
    """

    lines: int = 0
    keys: int = 0
    texts: int = 0
    nulls: int = 0
    quotes: int = 0
    unknown_null: bool = False

    def is_flat(self, fields: int) -> bool:
        """Tell whether these are lines of at most so many fields each, and nothing else."""
        return self.keys <= fields * self.lines and self.quotes == 2 * (self.keys + self.texts)


def looks_flat(path: Path) -> bool | None:
    """Guess from its first bytes whether a glance will settle a file; None where they are compressed."""
    if path.suffix.lower() in (".gz", ".zst"):
        return None
    with path.open("rb", buffering=0) as file:
        head = file.read(_GUESSED)
    return not any(unusual.search(head) for unusual in _UNUSUAL)


def glance(file: io.BytesIO | io.FileIO | HashedFile, keys: Mapping[str, bool]) -> Glance | None:
    """Count over a whole file; None as soon as there is something that wants a closer look.

    Args:
        file: Its plain contents.
        keys: The fields there should be, and whether their values may be numbers.
    """
    buffer = bytearray(_AROUND + max(_BLOCK, _AROUND))
    block = memoryview(buffer)[_AROUND : _AROUND + _BLOCK]
    counter = _Counter(buffer, keys)
    read = 0
    while size := file.readinto(block):
        read += size
        if not counter.count(_AROUND + size):
            return None
        buffer[:_AROUND] = buffer[size : size + _AROUND]
    # What was read last is looked at now that nothing follows; a last line gets the break it may lack.
    end = b"" if not read or buffer[_AROUND - 1] == ord("\n") else b"\n"
    buffer[_AROUND : 2 * _AROUND] = end + bytes(_AROUND - len(end))
    return counter.result() if counter.count(2 * _AROUND) else None


class KnownKeys:
    """Tells whether keys before places of a buffer are known ones.

    They are compared as a whole up to 14 bytes, longer ones by their ends: by two words of eight bytes,
    quotes and colon included.

    Args:
        buffer: What is looked at.
        keys: The known ones.
    """

    def __init__(self, buffer: bytearray, keys: Iterable[str]) -> None:
        self._words = words_of(buffer)
        self._keys = [
            [_last_bytes(part) for part in (end[-_WORD:], end[-2 * _WORD : -_WORD]) if part]
            for end in (f'"{key}":'.encode() for key in keys)
        ]
        self._noted: list[tuple[Words, Words]] = []
        self._count = 0
        self._hold = True

    def note(self, colons: Places) -> None:
        """Look at the keys that end in these places, now or later."""
        if len(colons):
            self._noted.append((self._words[colons - (_WORD - 1)], self._words[colons - (2 * _WORD - 1)]))
            self._count += len(colons)
            if self._count > _NOTED:
                self._look()

    def hold(self) -> bool:
        """Tell whether all that were noted are known."""
        if self._noted:
            self._look()
        return self._hold

    def _look(self) -> None:
        import numpy as np

        last, before = (np.concatenate(words) for words in zip(*self._noted, strict=True))
        self._noted, self._count = [], 0
        # Few keys are ever null: each is looked for among those that are none of the keys before it.
        for parts in self._keys:
            known = np.ones(len(last), np.bool_)
            for words, (shift, value) in zip((last, before), parts, strict=False):
                known &= (words >> shift if shift else words) == value
            if known.any():
                last, before = last[~known], before[~known]
        self._hold = self._hold and not len(last)


def words_of(buffer: bytearray) -> Words:
    """Return the eight bytes that begin at every byte."""
    import numpy as np

    return np.ndarray(len(buffer) - _WORD + 1, "<u8", buffer, strides=(1,))


def _last_bytes(part: bytes) -> tuple[np.uint64, np.uint64]:
    """Return the end of a word, and how far words are shifted until what stands before it has fallen out."""
    import numpy as np

    return np.uint64(8 * (_WORD - len(part))), np.uint64(int.from_bytes(part, "little"))


class _Counter:
    """Counts over the blocks that come to lie in a buffer."""

    def __init__(self, buffer: bytearray, keys: Mapping[str, bool]) -> None:
        import numpy as np

        self.counts = Glance()
        self._text = np.frombuffer(buffer, np.uint8)
        self._masks = [np.empty(len(buffer), np.bool_) for _ in range(4)]
        self._words = words_of(buffer)
        ends = [f'"{key}":'.encode()[-_WORD:] for key, is_number in keys.items() if is_number]
        self._number_keys = [_last_bytes(end) for end in ends]
        self._null_keys = KnownKeys(buffer, keys)

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
        # Colons are done with, so their mask is used for letters. A mask is numbers as well: what lies before
        # the letters wraps around to above them.
        letter = np.less_equal(np.subtract(text, ord("a"), out=colon.view(np.uint8)), 25, out=colon)
        no_end = np.greater(keys, letter[_BEFORE - 2 : size - _AFTER - 2], out=spare[middle])
        is_no_end = no_end.view(np.uint8).max(initial=0)
        np.greater(keys, quote[after], out=keys)
        # Values that are no strings, line breaks and backslashes are few: they are found at once.
        for rare in b"\n\\":
            np.logical_or(here, np.equal(text, rare, out=colon), out=here)
        at = np.flatnonzero(here[middle]) + _BEFORE
        what = text[at]
        others, breaks, escapes = (at[what == byte] for byte in b":\n\\")
        values = text[others + 1]
        is_digit = (values ^ 0x30) <= 9
        digits, words = others[is_digit], others[~is_digit]
        nulls = words[(text[words + 1] == ord("n")) & (text[words + 2] == ord("u"))]
        counts.keys += found
        counts.nulls += len(nulls)
        self._null_keys.note(nulls)
        counts.texts += found - len(others)
        counts.lines += len(breaks)
        escaped = text[escapes + 1]
        counts.quotes -= int(np.count_nonzero(escaped == ord('"')))
        value_end = text[breaks - 2]
        return bool(
            not is_no_end
            and len(nulls) == len(words)
            and (text[breaks - 1] == ord("}")).all()
            and ((value_end > ord(" ")) & (value_end != ord(","))).all()
            and not (escaped == ord("\\")).any()
            and self._are_number_keys(digits)
            and not self._escape_nul(escapes[escaped == ord("u")])
        )

    def result(self) -> Glance:
        """Return the counts, at the end."""
        self.counts.unknown_null = not self._null_keys.hold()
        return self.counts

    def _are_number_keys(self, colons: Places) -> bool:
        import numpy as np

        ends = self._words[colons - (_WORD - 1)]
        known = np.zeros(len(ends), np.bool_)
        for shift, end in self._number_keys:
            known |= (ends >> shift if shift else ends) == end
        return bool(known.all())

    def _escape_nul(self, escapes: Places) -> bool:
        for place in range(2, 6):
            escapes = escapes[self._text[escapes + place] == ord("0")]
        return len(escapes) > 0
