"""Marks: what can be counted in a file's raw bytes at little cost, to hold a parser's word against.

A parser that is told which fields to read ignores the others without a word, and takes a trailing comma
and an escaped NUL. Counting ``":`` tells how many fields a file has, counting line breaks how many lines:
where they agree with what the parser found, nothing was passed over. A field under another name leaves
the counts as they are; for those a line in every 256 KiB is looked at by name.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sparkify.lake.codec import decompress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BLOCK = 1 << 18
# numpy counts four times as fast as bytes.count, but takes 0.1 s to import.
_LARGE = 1024 * 1024
_KEY, _NUL = b'":', b"\\u0000"
_BREAK, _RETURN, _BLANK, _COMMA, _BRACE = b"\n\r ,}"
_ENDS_WELL = re.compile(rb"[^\x00-\x20,]\}\r?$").search
# What is carried from block to block, so that no pair and no escape is cut in two.
_CARRY = 8


@dataclass(frozen=True, slots=True)
class Marks:
    """Counts over a file's plain contents.

    Attributes:
        lines: Lines, a last one without a line break included.
        longest: Bytes of the longest line.
        keys: ``":`` pairs: fields, and the few strings that hold such a pair.
        odd: A line ends otherwise than an object must (a trailing comma, a blank line), or there is an
            escaped NUL, or text that looks like one.
        sampled: The names of the fields of some lines.
    """

    lines: int
    longest: int
    keys: int
    odd: bool
    sampled: frozenset[str]


def count_marks(path: Path) -> Marks:
    """Count a file's marks; gzip and zstd are decompressed first."""
    if path.suffix in (".gz", ".zst"):
        return _count(decompress(path.read_bytes())[0])
    if path.stat().st_size < _LARGE:
        return _count(path.read_bytes())
    return _count_large(path)


def _count(data: bytes) -> Marks:
    lines = data.split(b"\n")
    longest = max(map(len, lines))
    sampled = _names(lines[:: max(1, len(lines) * _BLOCK // max(len(data), _BLOCK))])
    odd = _NUL in data or not all(map(_ENDS_WELL, lines if lines[-1] else lines[:-1]))
    return Marks(len(lines) - (not lines[-1]), longest, data.count(_KEY), odd, sampled)


def _names(lines: Iterable[bytes]) -> frozenset[str]:
    found: set[str] = set()
    for line in lines:
        with contextlib.suppress(ValueError, RecursionError):
            record = json.loads(line)
            if isinstance(record, dict):
                found.update(record)
    return frozenset(found)


def _count_large(path: Path) -> Marks:
    import numpy as np

    key, escape, zeros = (int.from_bytes(two, "little") for two in (_KEY, b"\\u", b"00"))
    lines = longest = keys = 0
    odd = False
    sampled: set[str] = set()
    begun = 0  # bytes of the line that the last block left unfinished
    buffer = bytearray(_CARRY + _BLOCK)
    view = memoryview(buffer)
    size = 0
    with path.open("rb", buffering=0) as file:
        while more := file.readinto(view[_CARRY:]):
            size = more
            block = np.frombuffer(buffer, np.uint8, _CARRY + size)
            breaks = np.flatnonzero(block[_CARRY:] == _BREAK)
            odd = odd or _end_oddly(block, breaks + _CARRY)
            if len(breaks) > 1:
                sampled |= _names([bytes(buffer[_CARRY + int(breaks[0]) : _CARRY + int(breaks[1])])])
            if len(breaks):
                longest = max(longest, begun + int(breaks[0]), int(np.diff(breaks).max(initial=1)) - 1)
                begun = size - 1 - int(breaks[-1])
                lines += len(breaks)
            else:
                begun += size
            for start in (_CARRY - 1, _CARRY):
                pairs = np.frombuffer(buffer, "<u2", (_CARRY + size - start) // 2, start)
                keys += int(np.count_nonzero(pairs == key))
            for start in (2, 3):
                pairs = np.frombuffer(buffer, "<u2", (_CARRY + size - start) // 2, start)
                at = np.flatnonzero(pairs[:-2] == escape)
                odd = odd or bool(((pairs[at + 1] == zeros) & (pairs[at + 2] == zeros)).any())
            buffer[:_CARRY] = buffer[size : size + _CARRY]
    if begun:
        odd = odd or _end_oddly(np.frombuffer(buffer, np.uint8, _CARRY), np.array([_CARRY]))
    return Marks(lines + (begun > 0), max(longest, begun), keys, odd, frozenset(sampled))


def _end_oddly(block: NDArray[np.uint8], ends: NDArray[np.intp]) -> bool:
    """Tell whether a line that ends before one of ``ends`` ends otherwise than an object: ``"}`` or ``0}``.

    A trailing comma, with or without blanks, is one such end; CRLF is not.
    """
    ends = ends - (block[ends - 1] == _RETURN)
    before = block[ends - 2]
    return bool(((block[ends - 1] != _BRACE) | (before == _COMMA) | (before <= _BLANK)).any())
