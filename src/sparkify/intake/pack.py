"""Packing: thousands of tiny JSON files become one JSON-lines text that remembers where each line came from.

A record ``{"title": …}`` of file 7 becomes the line ``{"sparkify_file":7,"title": …}``. The number stands
for the file; the caller keeps what it means. The record's own bytes are not touched, so what a strict
parser says of the packed line holds for the record.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sparkify.records import FILE_KEY

# NaN and Infinity, however they are written, which strict parsers take.
_NO_JSON = re.compile(rb'":\s*(?:-?[NIi]|-n|n[^u])')
# A key that is not followed by its colon at once; first the bytes that few files have.
_SPACED = re.compile(rb'"[ \t]+:')
_PREFIX = b'{"' + FILE_KEY.encode() + b'":%d,'


def as_keys(names: Sequence[str]) -> tuple[bytes, ...]:
    """Return fields' names as they stand in a file; inside a string the quotes would be escaped."""
    return tuple(b'"%s":' % name.encode() for name in names)


def pack(data: bytes, file: int, keys: Sequence[bytes]) -> bytes | None:
    """Return the packed line of a file that holds one flat object on one line, else None.

    Args:
        data: The file's contents.
        file: Its number.
        keys: The known keys (:func:`as_keys`). The object may lack some: whether one is required, the engine
            tells. With others, or one twice, the file needs re-reading.
    """
    text = data.strip()
    # One opening brace: no object in it, and none after it.
    flat = text[:2] == b'{"' and text.count(b"{") == 1
    if not flat or b"\n" in text or b"\r" in text or b"\\u0000" in text or _NO_JSON.search(text):
        return None
    if text[:-1].rstrip()[-1:] == b",":
        return None
    if (b" :" in text or b"\t:" in text) and _SPACED.search(text):
        return None
    if text.count(b'":') != sum(key in text for key in keys):
        return None
    return _PREFIX % file + text[1:] + b"\n"
