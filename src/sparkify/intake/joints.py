"""Files whose objects follow each other without line breaks, as Firehose writes them: a copy that has them.

A break is put behind every ``}`` after which, but for blanks, ``{`` follows. Between two values of JSON that
is where one record ends and the next begins; within a string it may stand, too. The copy is read as any file
of lines is, each of which has to be one whole object: then no string was broken, and what was read are the
objects of the file, since an object ends where it ends, whatever follows. A copy that is not read without any
doubt is given up; rejects, and where they are, are found in the file itself (:mod:`sparkify.intake.reader`).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sparkify.intake.content import HashedFile
from sparkify.lake.codec import decompress

_BLANKS = b" \t\r"
# Where one object ends and another begins in the same line.
_JOINT = re.compile(rb"\}(?=[ \t\r]*\{)")
_END = b"}\n"
_BLOCK = 1 << 19
# How much a guess goes by; compressed, of most logs ten times as much.
_GUESSED = 1 << 14
# More blanks than this are never between records: they would be looked at anew with each block.
_MOST_BLANKS = 1 << 12


@dataclass(frozen=True, slots=True)
class Separated:
    """What a copy was made of.

    Attributes:
        joints: How many line breaks were put in: the copy is longer by so many bytes.
        content: The hash of the plain contents (:mod:`sparkify.intake.content`) without them.
    """

    joints: int
    content: str | None


def looks_joined(path: Path) -> bool:
    """Guess from its first bytes whether a file has no line breaks between its objects."""
    with path.open("rb", buffering=0) as file:
        head = file.read(_GUESSED)
    if path.suffix.lower() in (".gz", ".zst"):
        head = decompress(head).data
    return b"\n" not in head and bool(_JOINT.search(head))


def separate(path: Path, copy: Path) -> Separated | None:
    """Write a copy of a file with a line break wherever one object follows another without one.

    Args:
        path: The file; gzip and zstd are decompressed.
        copy: Where the copy is written, plain.

    Returns:
        None where there is no such place, or the compressed stream is damaged: then there is no copy.
    """
    if path.suffix.lower() in (".gz", ".zst"):
        data, damage, _ = decompress(path.read_bytes())
        return None if damage else _separate(io.BytesIO(data), copy)
    with path.open("rb", buffering=0) as file:
        return _separate(file, copy)


def _separate(opened: io.BytesIO | io.FileIO, copy: Path) -> Separated | None:
    file = HashedFile(opened)
    if not any(map(_JOINT.search, _blocks(file))):
        return None
    file.rewind()
    read = written = joints = 0
    with copy.open("wb") as out:
        for block in _blocks(file):
            separated, found = _JOINT.subn(_END, block)
            read += len(block)
            joints += found
            written += out.write(separated)
    assert written == read + joints, "a byte is missing, or one too many"
    return Separated(joints, file.content)


def _blocks(file: HashedFile) -> Iterator[bytes]:
    """Yield what a file holds in blocks that end where no joint is cut in two."""
    block = memoryview(bytearray(_BLOCK))
    left = b""
    while size := file.readinto(block):
        data = left + block[:size]
        end = len(data.rstrip(_BLANKS))
        left = data[end - 1 :] if data[end - 1 : end] == b"}" and len(data) - end < _MOST_BLANKS else b""
        yield data[: len(data) - len(left)]
    if left:
        yield left
