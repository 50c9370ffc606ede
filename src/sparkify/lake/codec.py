"""Decompression: gzip and zstd, known by their first bytes and not by their names."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_BLOCK = 1 << 20


def decompress(data: bytes) -> tuple[bytes, str | None]:
    """Return the plain contents of an object and, when the stream is damaged or ends early, how.

    What comes before the damage is returned: its lines are good.
    """
    if data.startswith(_GZIP):
        return _gunzip(data)
    if data.startswith(_ZSTD):
        return _unzstd(data)
    return data, None


def _gunzip(data: bytes) -> tuple[bytes, str | None]:
    parts: list[bytes] = []
    rest = data
    # A gzip file may hold several members, one after the other; zeros after the last are padding.
    while rest.strip(b"\0"):
        member = zlib.decompressobj(wbits=31)
        before, start = member, 0
        try:
            for start in range(0, len(rest), _BLOCK):
                before = member.copy()
                parts.append(member.decompress(rest[start : start + _BLOCK]))
                if member.eof:
                    rest = member.unused_data + rest[start + _BLOCK :]
                    break
            else:
                return b"".join(parts), "the gzip stream ends early"
        except zlib.error as exc:
            parts += _up_to_damage(before, rest[start : start + _BLOCK])
            return b"".join(parts), f"the gzip stream is damaged ({exc})"
    return b"".join(parts), None


def _up_to_damage(member: zlib._Decompress, block: bytes) -> Iterator[bytes]:
    """Yield what a block holds before its damage: zlib drops all of a call that fails."""
    with contextlib.suppress(zlib.error):
        for byte in block:
            yield member.decompress(bytes((byte,)))


def _unzstd(data: bytes) -> tuple[bytes, str | None]:
    import zstandard

    parts: list[bytes] = []
    rest = data
    try:
        while rest:
            frame = zstandard.ZstdDecompressor().decompressobj()
            parts.append(frame.decompress(rest))
            if not frame.eof:
                return b"".join(parts), "the zstd stream ends early"
            rest = frame.unused_data
    except zstandard.ZstdError as exc:
        return b"".join(parts), f"the zstd stream is damaged ({exc})"
    return b"".join(parts), None
