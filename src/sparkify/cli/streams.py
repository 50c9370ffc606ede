"""The standard streams of the process: always there, in UTF-8, and no reason to stop when nobody reads them.

A reader that closes the pipe (``head``, a pager) neither stops the work nor changes the exit code: from then
on output is dropped. A full disk stays an error.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# What the system says of a pipe or a socket that nobody reads any more.
_CLOSED = {errno.EPIPE, errno.ECONNRESET, errno.ESHUTDOWN}
_CHUNK = 64 * 1024


class _Output(io.FileIO):
    """A file descriptor that accepts and drops everything once its reader has closed it."""

    closed_by_reader = False

    def write(self, data: ReadableBuffer, /) -> int:
        """Write what there is a reader for; return how many bytes were taken."""
        if not self.closed_by_reader:
            try:
                return super().write(data)
            except OSError as exc:
                if exc.errno not in _CLOSED:
                    raise
                self.closed_by_reader = True
        return memoryview(data).nbytes


def open_streams() -> None:
    """Replace the standard streams by ones that can be written to whatever they are connected to.

    Python has None for a stream that was closed, and another encoding than UTF-8 in some locales; the data is
    UTF-8, and half a name may be none.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - to the end
        elif mode == "w":
            stream.flush()
            ours = io.TextIOWrapper(
                io.BufferedWriter(_Output(stream.fileno(), "wb", closefd=False)),
                encoding="utf-8",
                errors="backslashreplace",
                line_buffering=stream.line_buffering,
                write_through=stream.write_through,
            )
            setattr(sys, name, ours)


def close_streams() -> bool:
    """Write what is still in the buffers; return whether that was possible.

    Python would try again at its end and exit with 120.
    """
    done = True
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            done = False
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return done


def copy(source: IO[str], target: IO[str]) -> None:
    """Copy a text to its end, or until nobody reads the target any more."""
    while chunk := source.read(_CHUNK):
        target.write(chunk)
        if is_unread(target):
            return
    target.flush()


def is_unread(target: IO[str]) -> bool:
    """Tell whether a stream's reader was seen to have closed it."""
    raw = getattr(getattr(target, "buffer", None), "raw", None)
    return isinstance(raw, _Output) and raw.closed_by_reader
