"""One day's log file, from its events: encoded, compressed and written in chunks, whole or not at all."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Protocol

from sparkify.lake.writer import Writer
from sparkify.simulator.encoder import Encoder
from sparkify.simulator.simulation import Events


class Report(Protocol):
    """A callback for progress: files, events (``rows``) and bytes since the last call."""

    def __call__(self, *, files: int = 0, rows: int = 0, size: int = 0) -> None:
        """Add to the counts."""


def write_day(
    encoder: Encoder, writer: Writer, key: str, parts: Iterable[Events], compression: str, report: Report
) -> None:
    """Write a day's file, unless nothing happened on that day.

    Args:
        encoder: Of the simulation.
        writer: Where to.
        key: Of the file.
        parts: The day's events in order.
        compression: ``none``, ``gzip`` or ``zstd``.
        report: Told of each part, while it is written, and of the file.
    """
    chunks = _texts(encoder, parts, report)
    first = next(chunks, None)
    if first is not None:
        writer.put(key, compress(chain([first], chunks), compression))
        report(files=1)


def _texts(encoder: Encoder, parts: Iterable[Events], report: Report) -> Iterator[bytes | memoryview]:
    """Yield the day's text in chunks; the last line has no line break, as in the real logs."""
    held = b""
    for events in parts:
        size = 0
        for text in encoder.texts(events):
            if held:
                yield held
            held = text
            size += len(text)
        report(rows=len(events), size=size)
    if held:
        yield memoryview(held)[:-1]


def compress(chunks: Iterable[bytes | memoryview], compression: str) -> Iterable[bytes | memoryview]:
    """Compress a text in chunks; the same text gives the same bytes."""
    if compression == "none":
        yield from chunks
        return
    stream: Any
    if compression == "gzip":
        stream = zlib.compressobj(wbits=31)  # 31: with a gzip header, without a time in it
    else:
        import zstandard

        stream = zstandard.ZstdCompressor().compressobj()
    for chunk in chunks:
        packed = stream.compress(chunk)
        if packed:
            yield packed
    yield stream.flush()
