"""Packed records, one per line with the number of its file: for COPY, and parsed into texts for INSERT.

The number stands before the other fields of its record; so what one COPY loads of thousands of files can be
told apart again, and compared with what was read of each.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sparkify.intake.adopted import adopted_values
from sparkify.intake.extra import extra_of, storable
from sparkify.intake.parse import MOST_LEVELS, decoder, is_deeper, pairs_of, without
from sparkify.intake.rules import Refusal
from sparkify.lake.codec import decompress
from sparkify.records import EXTRA_KEY, FILE_KEY, Field, RecordKind
from sparkify.warehouse.derived import copied_bytes
from sparkify.warehouse.redshift.prescan import COMPRESSED, HALF_A_PAIR

_PACKED_FILE = re.compile(rb'\{"%s":\s*(\d+)' % FILE_KEY.encode())
# Packed records are sent in pieces of this size, as plain text.
_PIECE_BYTES = 64 << 20


# How our keys begin; a key with an escape, which may be one of them.
_OURS = b'"sparkify_'
_ESCAPED_KEY = re.compile(rb'\\u[^"]*"[ \t\r]*:')


@dataclass(slots=True)
class Packed:
    """What the packed lines of a file hold.

    Attributes:
        values: The values of fields with a column, adopted ones too, that are not null there.
        extras: The records with a value in ``extra``.
        others: The fields without a column, with their occurrences.
        nested: Whether the value of a built-in field is an object or array.
    """

    values: int = 0
    extras: int = 0
    others: Counter[str] = field(default_factory=Counter)
    nested: bool = False


class Pack(Protocol):
    """Packs the lines of a file."""

    def __call__(self, path: Path, number: int, kind: RecordKind, packed: Packed) -> Iterator[bytes]:
        """Yield packed lines, and note in ``packed`` what they hold."""


def pack_lines(path: Path, number: int, kind: RecordKind, packed: Packed) -> Iterator[bytes]:
    """Yield the lines of a file, each with the file's number, up to the first that is not one object.

    Where a record has other fields than the built-in ones, the values of adopted fields and the text of
    ``extra`` stand beside the number, as the careful reader gives them.

    Objects are also those that COPY is known to read as our rules do. After the first that is not, nothing is
    yielded: fewer records land than the file has lines.

    Args:
        path: The file; its suffix gives the compression. Of a damaged one nothing is yielded.
        number: Its number.
        kind: The kind of its records.
        packed: Told what the lines hold.
    """
    head = b'{"%s": %d, ' % (FILE_KEY.encode(), number)
    packer = _LinePacker(kind, packed)
    with _opened(path) as file:
        for line in file:
            beside = packer.beside_number(line)
            if beside is None:
                return
            yield head + beside + line[1:] + (b"" if line.endswith(b"\n") else b"\n")


def _opened(path: Path) -> io.BufferedIOBase:
    if path.suffix.lower() not in COMPRESSED:
        return path.open("rb")
    plain, damage, _ = decompress(path.read_bytes())
    return io.BytesIO(b"" if damage else plain)


class _LinePacker:
    """Reads the lines of a file, and notes what they hold.

    Args:
        kind: The kind of the records.
        packed: Told what the lines hold.
    """

    def __init__(self, kind: RecordKind, packed: Packed) -> None:
        self._packed = packed
        self._adopted = kind.adopted
        self._with_column = frozenset(kind.keys)
        self._built_in = frozenset(field.key for field in kind.built_in)
        self._folded = frozenset(key.lower() for key in self._built_in)
        self._numbers = [field.key for field in kind.built_in if not field.is_text]
        self._has_others = False

    def beside_number(self, line: bytes) -> bytes | None:
        """Return what stands beside the file's number; None: the line is to be read carefully.

        Python's parser sees what stands behind an object, which COPY counts as an error and loads the object.
        """
        if line[:1] != b"{" or _OURS in line:
            return None
        if b"\\u" in line and (_ESCAPED_KEY.search(line) or HALF_A_PAIR.search(line)):
            return None
        try:
            record: dict[str, Any]
            if not self._has_others:
                record = json.loads(line.decode())
                # As many keys as there seem to be: none stands twice, and no value has keys.
                if record.keys() <= self._built_in and line.count(b'":') == len(record):
                    self._note(record)
                    return b"" if record else None
            record = decoder.decode(line.decode())
            if line.count(b"{") + line.count(b"[") > MOST_LEVELS and is_deeper(record, MOST_LEVELS):
                return None
            return self._others(record)
        except (ValueError, RecursionError, Refusal):
            return None

    def _others(self, record: dict[str, Any]) -> bytes | None:
        """Return what stands beside the number of a record that may have other fields.

        Raises:
            Refusal: ``extra`` does not hold them.
        """
        built_in = {key: value for key, value in record.items() if key in self._built_in}
        pairs = pairs_of(record)
        others = without(pairs, self._built_in)
        names = pairs_of(others)
        is_sound = len(built_in) + len(names) == len(pairs)  # no built-in key stands twice
        # COPY may take `TS` for `ts`.
        is_sound = is_sound and all(key.lower() not in self._folded for key, _ in names)
        if not record or not is_sound:
            return None
        adopted = adopted_values(others, self._adopted)
        kept = extra_of(others, adopted.held)
        self._note(built_in)
        self._has_others = self._has_others or bool(others)
        self._packed.others.update(storable(key) for key, _ in names if key not in self._with_column)
        beside = {
            field.accepted_key: value
            for field in self._adopted
            if (value := adopted.columns[field.column]) is not None
        }
        self._packed.values += len(beside)
        if kept is not None:
            beside[EXTRA_KEY] = kept
            self._packed.extras += 1
        return json.dumps(beside)[1:-1].encode() + b", " if beside else b""

    def _note(self, built_in: Mapping[str, Any]) -> None:
        """Note how many values the columns of built-in fields will have."""
        values = list(built_in.values())
        count = len(values) - values.count(None)
        if "" in values:  # no number
            count -= sum(built_in.get(key) == "" for key in self._numbers)
        self._packed.values += count
        self._packed.nested = self._packed.nested or not {dict, list}.isdisjoint(map(type, values))


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
