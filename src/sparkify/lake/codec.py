"""Decompression: gzip and zstd, known by their first bytes and not by their names."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_BLOCK = 1 << 20


class Plain(NamedTuple):
    """The contents of an object without its compression.

    Attributes:
        data: All that could be read.
        damage: A clause that says what is wrong with the stream; empty: nothing.
        doubtful_from: The byte of ``data`` from which on any may be another than was written, as a check sum
            says; None: nowhere. A stream that ends early holds what was written until then.
    """

    data: bytes
    damage: str = ""
    doubtful_from: int | None = None


def decompress(data: bytes) -> Plain:
    """Return the plain contents of an object and, when the stream is damaged or ends early, how."""
    if data.startswith(_GZIP):
        return _streams(data, "gzip", lambda: zlib.decompressobj(wbits=31), zlib.error)
    if data.startswith(_ZSTD):
        import zstandard

        def begin() -> _Stream:
            return zstandard.ZstdDecompressor().decompressobj()

        return _streams(data, "zstd", begin, zstandard.ZstdError)
    return Plain(data)


class _Stream(Protocol):
    """What zlib and zstandard have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def _streams(data: bytes, kind: str, begin: Callable[[], _Stream], error: type[Exception]) -> Plain:
    """Decompress the streams (gzip calls them members, zstd frames) that stand one after the other."""
    parts: list[bytes] = []
    rest = data
    while rest:
        stream = begin()
        sound = sum(map(len, parts))
        start = 0
        try:
            for start in range(0, len(rest), _BLOCK):
                parts.append(stream.decompress(rest[start : start + _BLOCK]))
                if stream.eof:
                    rest = stream.unused_data + rest[start + _BLOCK :]
                    break
            else:
                return Plain(b"".join(parts), f"the {kind} stream ends early")
        except error as exc:
            parts += _up_to_damage(begin(), rest, start, error)
            return Plain(b"".join(parts), f"the {kind} stream is damaged ({exc})", sound)
        if kind == "gzip" and not rest.strip(b"\0"):
            break  # padding after the last
    return Plain(b"".join(parts))


def _up_to_damage(stream: _Stream, data: bytes, start: int, error: type[Exception]) -> Iterator[bytes]:
    """Yield what the block at ``start`` holds before its damage: all of a call that fails is dropped."""
    for before in range(0, start, _BLOCK):
        stream.decompress(data[before : before + _BLOCK])
    with contextlib.suppress(error):
        for byte in data[start : start + _BLOCK]:
            yield stream.decompress(bytes((byte,)))
