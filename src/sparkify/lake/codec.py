"""Decompression: gzip and zstd, known by their first bytes and not by their names."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_BLOCK = 1 << 20
_FIRST = 1 << 12  # of a stream, which may be one of many short ones
# As much of what follows a gzip stream tells, mostly, whether it is padding.
_PADDING = 64


class Plain(NamedTuple):
    """The contents of an object without its compression.

    Attributes:
        data: All that could be read.
        damage: A clause that says what is wrong with the stream; empty: nothing.
        altered_from: The byte of ``data`` from which on any may be another than was written, as a check sum
            says; None: nowhere. A stream that ends early holds what was written until then.
    """

    data: bytes
    damage: str = ""
    altered_from: int | None = None


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
    at = done = 0
    while at < len(data):
        stream, begun, sound, size = begin(), at, done, _FIRST
        try:
            while not stream.eof:
                block = data[at : at + size]
                if not block:
                    return Plain(b"".join(parts), f"the {kind} stream ends early")
                parts.append(stream.decompress(block))
                at += len(block)
                done += len(parts[-1])
                size = min(2 * size, _BLOCK)
        except error as exc:
            parts += _up_to_damage(begin(), data, begun, at, error)
            return Plain(b"".join(parts), f"the {kind} stream is damaged ({exc})", sound)
        at -= len(stream.unused_data)
        if kind == "gzip" and not data[at : at + _PADDING].strip(b"\0") and not data[at:].strip(b"\0"):
            break  # padding after the last
    return Plain(b"".join(parts))


def _up_to_damage(
    stream: _Stream, data: bytes, begun: int, at: int, error: type[Exception]
) -> Iterator[bytes]:
    """Yield what the block at ``at`` holds before its damage: all of a call that fails is dropped."""
    for before in range(begun, at, _BLOCK):
        stream.decompress(data[before : min(before + _BLOCK, at)])
    with contextlib.suppress(error):
        for byte in data[at : at + _BLOCK]:
            yield stream.decompress(bytes((byte,)))
