"""Packing: thousands of tiny JSON files become one JSON-lines text that remembers where each line came from.

A record ``{"title": …}`` of file 7 becomes the line ``{"sparkify_file":7,"title": …}``. The number stands
for the file; the caller keeps what it means. The record's own bytes are not touched, so what a strict
parser says of the packed line holds for the record.

A file may hold one object, a pretty-printed object, several objects, or an array of objects.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from sparkify.errors import LoadError

FILE_FIELD = "sparkify_file"

_BOM = b"\xef\xbb\xbf"
_decoder = json.JSONDecoder()


def pack(data: bytes, file: int, uri: str) -> tuple[bytes, int]:
    """Return the packed lines of one file's contents, and how many records they are.

    Raises:
        LoadError: The contents are not JSON objects.
    """
    text = data.removeprefix(_BOM).strip()
    if not text:
        return b"", 0
    # One opening brace and no line break: one flat object, as nearly every song file holds.
    if text[0] == 0x7B and text.count(b"{") == 1 and b"\n" not in text and b"\r" not in text:
        return _line(text, file), 1
    lines = [_line(record.encode(), file) for record in _records(text, uri)]
    return b"".join(lines), len(lines)


def _line(record: bytes, file: int) -> bytes:
    body = record[1:].lstrip()
    comma = b"" if body.startswith(b"}") else b","
    return b'{"%s":%d%s%s\n' % (FILE_FIELD.encode(), file, comma, body)


def _records(data: bytes, uri: str) -> Iterator[str]:
    """Yield each object's own text, on one line."""
    try:
        text = data.decode()
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise LoadError(
            f"{uri}, line {line}: not UTF-8 (byte {exc.start}).",
            "Save the file as UTF-8.",
            uri=uri,
            line=line,
        ) from exc
    in_array = text.startswith("[")
    at = _skip(text, 1 if in_array else 0, " \t\r\n")
    while at < len(text) and not (in_array and text[at] == "]"):
        line = text.count("\n", 0, at) + 1
        try:
            value, end = _decoder.raw_decode(text, at)
        except json.JSONDecodeError as exc:
            line = exc.lineno
            raise LoadError(
                f"{uri}, line {line}: malformed JSON ({exc.msg}, column {exc.colno}).",
                "Correct the file, then run again.",
                uri=uri,
                line=line,
            ) from exc
        if not isinstance(value, dict):
            raise LoadError(
                f"{uri}, line {line}: expected an object, found {type(value).__name__}.",
                "A song file holds objects such as {…}.",
                uri=uri,
                line=line,
            )
        # White space between tokens is the only place a line break can stand in valid JSON.
        yield text[at:end].replace("\r", " ").replace("\n", " ")
        at = _skip(text, end, " \t\r\n,")


def _skip(text: str, at: int, blanks: str) -> int:
    while at < len(text) and text[at] in blanks:
        at += 1
    return at
