"""Pre-scan of a log file's raw bytes: finds files that COPY may read differently than our rules do.

COPY reads objects wherever they are, several on a line or one over many lines, and counts no lines. If every
line is one object, lines are as many as records.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from sparkify.lake.codec import decompress

# COPY's option for compression, by the suffix of the file's name.
COMPRESSED = {".gz": " GZIP", ".zst": " ZSTD"}
HALF_A_PAIR = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)
# Two objects on one line, which are more than one record a line; half of a surrogate pair.
_AMBIGUOUS = re.compile(rb"\}[ \t\r\v\f]*\{|" + HALF_A_PAIR.pattern)
NESTED = re.compile(rb'":[ \t\r]*[\[{]')


class Seen(NamedTuple):
    """The result of a pre-scan: the number of lines (0: needs re-reading), and whether values are nested."""

    lines: int
    nested: bool


class Look(Protocol):
    """A pre-scan of a file."""

    def __call__(self, path: Path, keys: Sequence[str], *, exact: bool) -> Seen:
        """Return the number of lines that COPY may load, and whether values are nested."""


_NEEDS_REREADING = Seen(0, nested=False)


def look_at_lines(path: Path, keys: Sequence[str], *, exact: bool) -> Seen:
    """Return the number of lines of a log file if each line is one object, since COPY counts objects.

    Args:
        path: The file; its suffix gives the compression.
        keys: The keys of its records.
        exact: Whether COPY matches keys case-sensitively; if not, every line must have every key once.
    """
    plain: bytes | None = None
    if path.suffix.lower() in COMPRESSED or not exact:
        plain, damage, _ = decompress(path.read_bytes())
        if damage:
            return _NEEDS_REREADING
    lines = 0
    nested = False
    with io.BytesIO(plain) if plain is not None else path.open("rb") as file:
        for line in file:
            lines += 1
            if line[:1] != b"{" or line.rstrip()[-1:] != b"}" or _AMBIGUOUS.search(line):
                return _NEEDS_REREADING
            nested = nested or bool(NESTED.search(line))
    if exact or plain is None:
        return Seen(lines, nested)
    once = all(plain.count(b'"%s":' % key.encode()) == lines for key in keys)
    return Seen(lines, nested) if once else _NEEDS_REREADING
