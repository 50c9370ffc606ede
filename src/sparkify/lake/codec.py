"""Decompression: gzip and zstd, known by their first bytes and not by their names."""

from __future__ import annotations

import gzip
import zlib

from sparkify.errors import LoadError

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"


def decompress(data: bytes, uri: str) -> bytes:
    """Return the plain contents of an object; ``uri`` is for the error.

    Raises:
        LoadError: The compressed stream is damaged or ends early.
    """
    try:
        if data.startswith(_GZIP):
            return gzip.decompress(data)
        if data.startswith(_ZSTD):
            import zstandard

            try:
                with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as reader:
                    return reader.read()
            except zstandard.ZstdError as exc:
                raise _damaged(uri, str(exc)) from exc
    except (EOFError, OSError, zlib.error) as exc:
        raise _damaged(uri, str(exc)) from exc
    return data


def _damaged(uri: str, why: str) -> LoadError:
    return LoadError(f"{uri} is damaged: {why}.", "Deliver the file again, whole.", uri=uri)
