"""Marks: what can be counted in a file's raw bytes at little cost, to compare a parser's word with.

A parser that is told which fields to read ignores the others without a word, and DuckDB's takes trailing
commas, NaN and escaped NULs. ``":`` pairs tell how many fields a file has, what follows them how many are
null, line breaks how many lines: where they agree with what the parser found, nothing was ignored.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sparkify.intake.content import HashedFile, content_of
from sparkify.intake.glance import glance
from sparkify.lake.codec import decompress
from sparkify.records import Field

if TYPE_CHECKING:
    import numpy as np

    Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]
    Places = np.ndarray[tuple[int], np.dtype[np.int64]]
    Words = np.ndarray[tuple[int], np.dtype[np.uint64]]

# What the fastest caches hold: four times as much takes twice as long.
_BLOCK = 1 << 16
_NUL = b"\\u0000"
# What follows a key, where it is neither a string nor a number. Ahead: it may be the next key.
_VALUE = re.compile(rb'":[ \t\r\n]*(?=(-?[^"\d\s-].))', re.DOTALL)
# A key that is not counted, and whose value is not looked at.
_SPACED = re.compile(rb'"[ \t\r]+:')
_NULL, _LITERALS, _NESTED = b"nu", (b"tr", b"fa"), (b"{", b"[")
# Bytes around a block that are looked at too, so that nothing is cut in two; more blanks than that in a
# row count as needs_rereading.
_AROUND = 16
# Of the key of a null two words are looked at, its quotes and colon included.
_WORD = 8
# Keys of nulls that are looked at together: of few at a time the calls would cost more than the work.
_NOTED = 1 << 16


@dataclass(frozen=True, slots=True)
class Marks:
    """Counts over a file's plain contents. Strings that look like one of these are counted too.

    Attributes:
        lines: Lines, a last one without a line break included.
        keys: ``":`` pairs: fields.
        nulls: Fields that are null.
        nested: Objects or arrays are values of fields.
        needs_rereading: There may be what JSON does not know (a trailing comma, NaN, Infinity), an escaped
            NUL or a blank before a colon; or the compressed stream is damaged.
        unknown_null: A field that is null may be none of the known ones, where those were given.
        flat: A glance settled all (:mod:`sparkify.intake.glance`): nothing but lines was counted.
        content: The hash of the plain contents (:mod:`sparkify.intake.content`).
    """

    lines: int
    keys: int = 0
    nulls: int = 0
    nested: bool = False
    needs_rereading: bool = False
    unknown_null: bool = False
    flat: bool = False
    content: str | None = None


def count_marks(
    path: Path, *, much: bool, keys: Sequence[str] | None = None, flat: Sequence[Field] = ()
) -> Marks:
    """Count a file's marks; gzip and zstd are decompressed first.

    Args:
        path: The file.
        much: Many bytes will be counted in all: numpy, five times as fast, is worth the 0.1 s of its import.
        keys: The fields a record may have.
        flat: Those that the engine reads as columns; with ``much``, a glance is taken first.
    """
    if path.suffix.lower() in (".gz", ".zst"):
        data, damage, _ = decompress(path.read_bytes())
        marks = _look(io.BytesIO(data), keys, flat) if much else _count(data, keys)
        if damage:  # parsers do not notice every stream that ends early
            return replace(marks, needs_rereading=True, content=None)
        return marks
    if not much:
        return _count(path.read_bytes(), keys)
    with path.open("rb", buffering=0) as file:
        return _look(file, keys, flat)


def _look(opened: io.BytesIO | io.FileIO, keys: Sequence[str] | None, flat: Sequence[Field]) -> Marks:
    file = HashedFile(opened)
    if flat:
        lines = glance(file, flat)
        if lines is not None:
            return Marks(lines, flat=True, content=file.content)
        file.rewind()
    return _count_blocks(file, keys)


@cache
def _other_null(keys: tuple[str, ...]) -> re.Pattern[bytes]:
    """Return what finds a null after another key than these."""
    others = "".join(f'(?<!"{re.escape(key)}":)' for key in keys)
    return re.compile(rf'":(?=[ \t\r\n]*nu){others}'.encode())


def _count(data: bytes, keys: Sequence[str] | None) -> Marks:
    lines = data.split(b"\n")
    values = Counter(_VALUE.findall(data))
    nulls = values.pop(_NULL, 0)
    nested = [value for value in values if value.startswith(_NESTED)]
    needs_rereading = len(values) > len(nested) + sum(value in values for value in _LITERALS)
    return Marks(
        lines=len(lines) - (not lines[-1]),
        keys=data.count(b'":'),
        nulls=nulls,
        nested=bool(nested),
        needs_rereading=needs_rereading
        or _NUL in data
        or any(_ends_in_comma(data, closing) for closing in (b"}", b"]"))
        or (any(spaced in data for spaced in (b" :", b"\t:", b"\r:")) and bool(_SPACED.search(data))),
        unknown_null=keys is not None and bool(_other_null(tuple(keys)).search(data)),
        content=content_of(data),
    )


def _ends_in_comma(data: bytes, closing: bytes) -> bool:
    before = data.split(closing)[:-1]
    return any(part[-1:] == b"," or (part[-1:].isspace() and part.rstrip()[-1:] == b",") for part in before)


def _count_blocks(file: HashedFile, known: Sequence[str] | None) -> Marks:
    import numpy as np

    lines = keys = nulls = 0
    nested = needs_rereading = begun = False
    buffer = bytearray(2 * _AROUND + _BLOCK)
    view = memoryview(buffer)
    text = np.frombuffer(buffer, np.uint8)
    null_keys = None if known is None else _KnownKeys(buffer, known)
    size = 1
    while size:
        # What was read last is looked at now that what follows is known.
        size = file.readinto(view[2 * _AROUND :])
        if not size:
            buffer[2 * _AROUND : 3 * _AROUND] = bytes(_AROUND)
        else:
            lines += int(np.count_nonzero(text[2 * _AROUND : 2 * _AROUND + size] == ord("\n")))
            begun = buffer[2 * _AROUND + size - 1] != ord("\n")
        look_to = _AROUND + (size or _AROUND)
        found, null_colons, holds_nested, holds_other = _look_at_values(text, look_to)
        keys += found
        nulls += len(null_colons)
        nested = nested or holds_nested
        needs_rereading = needs_rereading or holds_other or _looks_lenient(text, look_to)
        if null_keys:
            null_keys.note(null_colons)
        buffer[: 2 * _AROUND] = buffer[size : size + 2 * _AROUND]
    unknown_null = null_keys is not None and not null_keys.hold()
    return Marks(lines + begun, keys, nulls, nested, needs_rereading, unknown_null, content=file.content)


def _look_at_values(text: Bytes, to: int) -> tuple[int, Places, bool, bool]:
    """Return how many keys there are, the colons before nulls, whether values are nested, or are not JSON."""
    import numpy as np

    colons = (text[_AROUND:to] == ord(":")) & (text[_AROUND - 1 : to - 1] == ord('"'))
    follows = text[_AROUND + 1 : to + 1]
    # A string or a digit follows most keys; what is left is looked at one by one.
    before = np.flatnonzero(colons & (follows != ord('"')) & ((follows ^ 0x30) > 9)) + _AROUND
    at = before + 1
    for _ in range(_AROUND - 3):
        blank = text[at] <= ord(" ")
        if not blank.any():
            break
        at += blank
    first, second = text[at], text[at + 1]
    null = (first == ord("n")) & (second == ord("u"))
    nested = int(np.count_nonzero((first == ord("{")) | (first == ord("["))))
    usual = (first == ord('"')) | ((first ^ 0x30) <= 9)
    usual |= (first == ord("-")) & ((second ^ 0x30) <= 9)
    usual |= ((first == ord("t")) & (second == ord("r"))) | ((first == ord("f")) & (second == ord("a")))
    needs_rereading = int(np.count_nonzero(null | usual)) + nested != len(at)
    return int(np.count_nonzero(colons)), before[null], nested > 0, needs_rereading


def _looks_lenient(text: Bytes, to: int) -> bool:
    """Tell whether there are trailing commas, blanks before colons, or escaped NULs."""
    import numpy as np

    here = text[_AROUND:to]
    spaced = np.flatnonzero((here == ord(":")) & (text[_AROUND - 1 : to - 1] <= ord(" "))) + _AROUND
    closing = np.flatnonzero(here | 0x20 == ord("}")) + _AROUND  # "]" is "}" without that bit
    escapes = np.flatnonzero((here == ord("\\")) & (text[_AROUND + 1 : to + 1] == ord("u"))) + _AROUND
    nuls = np.ones(len(escapes), bool)
    for place in range(2, 6):
        nuls &= text[escapes + place] == ord("0")
    spaced_key = (_before_blanks(text, spaced) == ord('"')).any()
    trailing_comma = (_before_blanks(text, closing) == ord(",")).any()
    return bool(spaced_key or trailing_comma or nuls.any())


def _before_blanks(text: Bytes, places: Places) -> Bytes:
    """Return the last byte before each place that is no blank."""
    at = places - 1
    for _ in range(_AROUND - 3):
        blank = text[at] <= ord(" ")
        if not blank.any():
            break
        at -= blank
    return text[at]


class _KnownKeys:
    """Tells whether keys before places of a buffer are known ones.

    They are compared as a whole up to 14 bytes, longer ones by their ends: by two words of eight bytes,
    quotes and colon included.

    Args:
        buffer: What is looked at.
        keys: The known ones.
    """

    def __init__(self, buffer: bytearray, keys: Iterable[str]) -> None:
        import numpy as np

        # The eight bytes that begin at every byte.
        self._words = np.ndarray(len(buffer) - _WORD + 1, "<u8", buffer, strides=(1,))
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


def _last_bytes(part: bytes) -> tuple[np.uint64, np.uint64]:
    """Return the end of a word, and how far words are shifted until what stands before it has fallen out."""
    import numpy as np

    return np.uint64(8 * (_WORD - len(part))), np.uint64(int.from_bytes(part, "little"))
