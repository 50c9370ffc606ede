"""Packed records, one per line with the number of its file: for COPY, and parsed into texts for INSERT.

The number stands before the other fields of its record; so what one COPY loads of thousands of files can be
told apart again, and compared with what was read of each.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from sparkify.lake.codec import decompress
from sparkify.records import EXTRA_KEY, FILE_KEY, Field
from sparkify.warehouse.derived import copied_bytes
from sparkify.warehouse.redshift.prescan import COMPRESSED, HALF_A_PAIR

_PACKED_FILE = re.compile(rb'\{"%s":\s*(\d+)' % FILE_KEY.encode())
# Packed records are sent in pieces of this size, as plain text.
_PIECE_BYTES = 64 << 20


# How our keys begin; a key with an escape, which may be one of them.
_OURS = b'"sparkify_'
_ESCAPED_KEY = re.compile(rb'\\u[^"]*"[ \t\r]*:')


class Pack(Protocol):
    """Packs the lines of a file."""

    def __call__(self, path: Path, number: int) -> Iterator[tuple[bytes, bool]]:
        """Yield packed lines, and whether a value of each is an object or array."""


def pack_lines(path: Path, number: int) -> Iterator[tuple[bytes, bool]]:
    """Yield the lines of a file, each with the file's number, up to the first that is not one object.

    Objects are also those that COPY is known to read as our rules do. After the first that is not, nothing is
    yielded: fewer records land than the file has lines.

    Args:
        path: The file; its suffix gives the compression. Of a damaged one nothing is yielded.
        number: Its number.
    """
    head = b'{"%s": %d, ' % (FILE_KEY.encode(), number)
    with _opened(path) as file:
        for line in file:
            record = _sound_object(line)
            if not record:
                return
            nested = any(isinstance(value, dict | list) for value in record.values())
            yield head + line[1:] + (b"" if line.endswith(b"\n") else b"\n"), nested


def _opened(path: Path) -> io.BufferedIOBase:
    if path.suffix.lower() not in COMPRESSED:
        return path.open("rb")
    plain, damage, _ = decompress(path.read_bytes())
    return io.BytesIO(b"" if damage else plain)


def _sound_object(line: bytes) -> dict[str, Any] | None:
    """Return the object that a line is; None or an empty one: it is to be read carefully.

    Python's parser sees what stands behind an object, which COPY counts as an error and loads the object.
    """
    if line[:1] != b"{" or _OURS in line:
        return None
    if b"\\u" in line and (_ESCAPED_KEY.search(line) or HALF_A_PAIR.search(line)):
        return None
    try:
        record: dict[str, Any] = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    return record


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


def parsed(fields: Sequence[Field], lines: Sequence[bytes]) -> tuple[list[bytes], list[tuple[Any, ...]]]:
    """Return the lines that can be parsed and fit, and the texts that COPY would read.

    These are the fields, what ``extra`` holds, and the number of the file.
    """
    sound: list[bytes] = []
    rows: list[tuple[Any, ...]] = []
    for line in lines:
        try:
            record = _decoder.decode(line.decode())
            values = [_as_text(record.get(field.accepted_key), copied_bytes(field)) for field in fields]
        except (ValueError, RecursionError):
            continue
        sound.append(line)
        rows.append((*values, record.get(EXTRA_KEY), number_of(line)))
    return sound, rows


def _as_text(value: Any, most_bytes: int) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    text = value if isinstance(value, str) else json.dumps(value)  # an object or array
    if "\0" in text or len(text.encode()) > most_bytes:
        raise ValueError("no text of a column")
    return text
