"""Packing: thousands of tiny JSON files become one JSON-lines text that remembers where each line came from.

A record ``{"title": …}`` of file 7 becomes the line ``{"sparkify_file":7,"title": …}``. The number stands
for the file; the caller keeps what it means. The record's own bytes are not touched, so what a strict
parser says of the packed line holds for the record.
"""

from __future__ import annotations

FILE_FIELD = "sparkify_file"

_PREFIX = b'{"' + FILE_FIELD.encode() + b'":%d,'


def pack(data: bytes, file: int, keys: int) -> bytes | None:
    """Return the packed line of a file that holds one flat object on one line, else None.

    Args:
        data: The file's contents.
        file: Its number.
        keys: How many fields the object must have; with more or fewer it wants a closer look.
    """
    text = data.strip()
    # One opening brace: no object in it, and none after it. A trailing comma is no JSON.
    plain = text[:2] == b'{"' and text.count(b"{") == 1 and text.count(b'":') == keys
    if not plain or b"\n" in text or b"\r" in text or b",}" in text:
        return None
    return _PREFIX % file + text[1:] + b"\n"
