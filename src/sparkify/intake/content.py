"""A file's content: a 128-bit hash of its decoded bytes (xxh3), by which it is known wherever it lies.

Empty contents have none, and neither has a damaged compressed stream: what can be read of it is not all.
"""

from __future__ import annotations

import io

import xxhash


def content_of(data: bytes) -> str | None:
    """Return the hash of decoded bytes, in hexadecimal; None where there are none."""
    return xxhash.xxh3_128_hexdigest(data) if data else None


class HashedFile:
    """A file of decoded bytes that is hashed while it is read from its beginning to its end."""

    def __init__(self, file: io.BytesIO | io.FileIO) -> None:
        self._file = file
        self._hash = xxhash.xxh3_128()
        self._size = 0

    def readinto(self, block: memoryview) -> int:
        """Fill a block, and return how much of it."""
        size = self._file.readinto(block) or 0
        self._hash.update(block[:size])
        self._size += size
        return size

    def rewind(self) -> None:
        """Begin again."""
        self._file.seek(0)
        self._hash.reset()
        self._size = 0

    @property
    def content(self) -> str | None:
        """The hash of what was read; None where that is nothing."""
        return self._hash.hexdigest() if self._size else None
