"""Whether a file is flat: lines of a grammar that leaves a lenient parser nothing to be lenient with.

A line is one flat object as most logs are written: known keys in one order, each once and none of them
necessary but the first; a string, a number in plain digits that its column holds as it stands, or null; no
blank, no other escape than JSON has, and not that of NUL. The order of the keys is that of the file's first
lines. Every byte is matched, so what a parser makes of such a file needs no proof but the number of its
records. Whatever else a file is, it wants a closer look (:mod:`sparkify.intake.marks`).

RE2 matches in time that grows with the bytes alone, and without the interpreter's lock: several files at
once, beside a parser.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkify.records import Field

if TYPE_CHECKING:
    from sparkify.intake.content import HashedFile

# With fewer bytes at a time the calls show; more do not fit in the processor's cache.
_BLOCK = 1 << 19
# How much the order of the keys goes by.
_HEAD = 1 << 14
# What RE2 may take for a grammar, at most; that of the logs takes 2 MB.
_MOST_MEMORY = 64_000_000
_HEX = "[0-9a-fA-F]"
_NOT_NUL = f"[1-9a-fA-F]{_HEX}{{3}}|0[1-9a-fA-F]{_HEX}{{2}}|00[1-9a-fA-F]{_HEX}|000[1-9a-fA-F]"
_CHARACTERS = rf'(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u(?:{_NOT_NUL}))*'
_TEXT = f'"{_CHARACTERS}"'
# Without a blank at the end, nor an escape, which may be one.
_TRIMMED = rf'"(?:{_CHARACTERS}[^"\\ \x00-\x1f])?"'
_VALUES = {
    "VARCHAR": _TEXT,
    "INTEGER": "[0-9]{1,9}",
    "BIGINT": "[0-9]{1,18}",
    "DOUBLE": r"[0-9]{1,15}(?:\.[0-9]+)?",
}
# Of an adopted field the engine is given the JSON, and whatever its column does not hold stays in ``extra``.
_SCALAR = rf"(?:{_TEXT}|-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false)"


def looks_flat(path: Path, fields: Sequence[Field]) -> bool | None:
    """Guess from its first lines whether a file is flat; None where it is compressed."""
    if path.suffix.lower() in (".gz", ".zst"):
        return None
    with path.open("rb", buffering=0) as file:
        head = file.read(_HEAD)
    grammar = _grammar_of(head, fields)
    return not head or bool(grammar and grammar.fullmatch(head[: head.rfind(b"\n") + 1]))


def glance(file: io.BytesIO | io.FileIO | HashedFile, fields: Sequence[Field]) -> int | None:
    """Return the number of lines of a flat file, a last one without a line break included; None: it is not.

    Args:
        file: Its plain contents.
        fields: What the engine reads as columns.
    """
    import numpy as np

    buffer = bytearray(_BLOCK)
    view = memoryview(buffer)
    grammar: Any = None
    lines = held = 0
    while size := file.readinto(view[held:]):
        end = held + size
        grammar = grammar or _grammar_of(bytes(view[: min(end, _HEAD)]), fields)
        whole = buffer.rfind(b"\n", 0, end) + 1
        # In the buffer there is room for a line at least, or none of this is flat.
        if not grammar or not (grammar.fullmatch(view[:whole]) if whole else end < len(buffer)):
            return None
        lines += int(np.count_nonzero(np.frombuffer(view[:whole], np.uint8) == ord("\n")))
        held = end - whole
        buffer[:held] = buffer[whole:end]
    if held and not grammar.fullmatch(bytes(view[:held]) + b"\n"):
        return None
    return lines + bool(held)


def _grammar_of(head: bytes, fields: Sequence[Field]) -> Any:
    """Return the grammar of lines whose keys are in the order of these; None where some are no known ones."""
    patterns = {each.key: _pattern(each) for each in fields}
    order: list[str] = []
    for line in head.split(b"\n"):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            break  # the last one may be cut; of another the grammar will tell
        at = 0
        for key in record if isinstance(record, dict) else ():
            if key not in order:
                order.insert(at, key)
            at = order.index(key) + 1
    if not order or not patterns.keys() >= set(order):
        return None
    return _compiled(tuple((json.dumps(key), patterns[key]) for key in order))


def _pattern(field: Field) -> str:
    if field.adopted:
        return _SCALAR
    return _TRIMMED if field.trimmed else _VALUES[field.type]


@lru_cache(maxsize=8)
def _compiled(fields: tuple[tuple[str, str], ...]) -> Any:
    import re2

    first, *others = (f"{re2.escape(key)}:(?:{pattern}|null)" for key, pattern in fields)
    line = rf"\{{{first}{''.join(f'(?:,{other})?' for other in others)}\}}\n"
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes: whether they are UTF-8 is for the parser to say
    options.max_mem = _MOST_MEMORY
    options.never_capture = True
    options.log_errors = False
    return re2.compile(f"(?:{line})*".encode(), options)
