"""Marks: what can be counted in a file's raw bytes at little cost, to hold a parser's word against.

A parser that is told which fields to read ignores the others without a word, and takes a trailing comma
and an escaped NUL. Counting ``":`` tells how many fields a file has, counting line breaks how many lines:
where they agree with what the parser found, nothing was passed over. A field under another name leaves
the counts as they are; for those a line in every 256 KiB is looked at by name.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sparkify.lake.codec import decompress

_BLOCK = 1 << 18
# numpy counts four times as fast as bytes.count, but takes 0.1 s to import.
_LARGE = 8 * 1024 * 1024
_KEY, _COMMA, _NUL = b'":', b",}", b"\\u0000"
# What is carried from block to block, so that no pair and no escape is cut in two.
_CARRY = 8


@dataclass(frozen=True, slots=True)
class Marks:
    """Counts over a file's plain contents.

    Attributes:
        lines: Lines, a last one without a line break included.
        longest: Bytes of the longest line.
        keys: ``":`` pairs: fields, and the few strings that hold such a pair.
        odd: A trailing comma or an escaped NUL, or a string that looks like one, is in it.
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
    odd = _COMMA in data or _NUL in data
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

    key, comma, escape, zeros = (int.from_bytes(two, "little") for two in (_KEY, _COMMA, b"\\u", b"00"))
    lines = longest = keys = 0
    odd = False
    sampled: set[str] = set()
    begun = 0  # bytes of the line that the last block left unfinished
    buffer = bytearray(_CARRY + _BLOCK)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(view[_CARRY:]):
            breaks = np.flatnonzero(np.frombuffer(buffer, np.uint8, size, _CARRY) == 0x0A)
            if len(breaks) > 1:
                sampled |= _names([bytes(buffer[_CARRY + int(breaks[0]) : _CARRY + int(breaks[1])])])
            if len(breaks):
                lengths = np.diff(breaks) - 1
                longest = max(longest, begun + int(breaks[0]), int(lengths.max(initial=0)))
                begun = size - 1 - int(breaks[-1])
                lines += len(breaks)
            else:
                begun += size
            for start in (_CARRY - 1, _CARRY):
                pairs = np.frombuffer(buffer, "<u2", (_CARRY + size - start) // 2, start)
                keys += int(np.count_nonzero(pairs == key))
                odd = odd or bool((pairs == comma).any())
            for start in (2, 3):
                pairs = np.frombuffer(buffer, "<u2", (_CARRY + size - start) // 2, start)
                at = np.flatnonzero(pairs[:-2] == escape)
                odd = odd or bool(((pairs[at + 1] == zeros) & (pairs[at + 2] == zeros)).any())
            buffer[:_CARRY] = buffer[size : size + _CARRY]
    return Marks(lines + (begun > 0), max(longest, begun), keys, odd, frozenset(sampled))
