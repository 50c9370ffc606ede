"""Packed records, one per line with the number of its file: for COPY, and parsed into texts for INSERT."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sparkify.records import FILE_KEY

_PACKED_FILE = re.compile(rb'\{"%s":\s*(\d+)' % FILE_KEY.encode())
# Packed records are sent in pieces of this size, as plain text.
_PIECE_BYTES = 64 << 20


def paths_of(keys: Sequence[str]) -> bytes:
    """Return a JSONPaths file that finds these keys."""
    return json.dumps({"jsonpaths": [f"$['{key}']" for key in keys]}).encode()


def pieces(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield lines in pieces that fit in memory."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        piece.append(line)
        size += len(line)
        if size >= _PIECE_BYTES:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def split(lines: Sequence[bytes], parts: int) -> Iterator[Sequence[bytes]]:
    """Yield lines in ``parts`` parts of about the same number of lines."""
    for part in range(parts):
        some = lines[part * len(lines) // parts : (part + 1) * len(lines) // parts]
        if some:
            yield some


def number_of(line: bytes) -> int:
    """Return the number of the file that a packed record comes from."""
    found = _PACKED_FILE.match(line)
    assert found, "we write the number first"
    return int(found[1])


_decoder = json.JSONDecoder(parse_int=str, parse_float=str)


def parsed(keys: Sequence[str], lines: Sequence[bytes]) -> tuple[list[bytes], list[tuple[Any, ...]]]:
    """Return the lines that can be parsed, and the texts that COPY would read.

    These are the texts under the keys, the last of which is that of ``extra``, and the number of the file.
    """
    sound: list[bytes] = []
    rows: list[tuple[Any, ...]] = []
    for line in lines:
        try:
            record = _decoder.decode(line.decode())
            values = [_as_text(record.get(key)) for key in keys[:-1]]
        except (ValueError, RecursionError):
            continue
        sound.append(line)
        rows.append((*values, record.get(keys[-1]), number_of(line)))
    return sound, rows


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):  # an object or array
        return json.dumps(value)
    if "\0" in value:
        raise ValueError("NUL")
    value.encode()
    return value
