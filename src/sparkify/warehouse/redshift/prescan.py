"""What a log file's raw bytes tell of how COPY will read it.

COPY takes objects where they come, several on a line or one over many; we count lines. Where every line is
one object, both come to the same.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from sparkify.lake.codec import decompress

# By the suffix of a file's name: what COPY has to be told.
COMPRESSED = {".gz": " GZIP", ".zst": " ZSTD"}
# Two objects on one line, which COPY takes and we do not; half of a surrogate pair.
_AMBIGUOUS = re.compile(
    rb"\}[ \t\r\v\f]*\{"
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)
NESTED = re.compile(rb'":[ \t\r]*[\[{]')


class Seen(NamedTuple):
    """What COPY may read of a log file: so many lines (0: it is to be read carefully); are values nested?"""

    lines: int
    nested: bool


class Look(Protocol):
    """Looks into a file."""

    def __call__(self, path: Path, keys: Sequence[str], *, exact: bool) -> Seen:
        """Return what COPY may read of it."""


_NEEDS_REREADING = Seen(0, nested=False)


def look_at_lines(path: Path, keys: Sequence[str], *, exact: bool) -> Seen:
    """Return how many lines a log file has, if each is one object; COPY counts records, not lines.

    Args:
        path: The file; its suffix tells the compression.
        keys: The keys of its records.
        exact: COPY tells keys apart by their capitals; if not, every line must have every key once.
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
