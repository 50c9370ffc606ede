"""Stream the rows of a query with a bounded number of rows in memory.

AWS's driver reads a result to its end before it returns the first row, and keeps the rows in its cursor. A
server-side cursor would first write the whole result to the leader node, which limits its size, and a cluster
of one node returns 1,000 rows at a time. So the driver reads in a thread, and each row is passed on instead
of being kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any

Row = tuple[Any, ...]

# Rows per piece, and the number of pieces that may wait in the queue.
_PIECE = 250
_READY = 8
# Seconds between two tests of whether the reader has stopped, and seconds to wait for the thread to end.
_LOOK_EVERY = 0.2
_GIVE_UP = 10.0


class NobodyWantsThemError(Exception):
    """The reader has stopped, so that the rest of the rows is not needed."""


class RowStream:
    """Rows produced by a thread; they can be iterated over once.

    Args:
        produce: Called in the thread with a function that accepts a row. Its exceptions are raised again in
            the reader; it must not catch :class:`NobodyWantsThemError`.
        abort: Called to interrupt the thread while it waits for the server.
    """

    def __init__(self, produce: Callable[[Callable[[Row], None]], None], abort: Callable[[], None]) -> None:
        self._produce = produce
        self._abort = abort
        self._pieces: Queue[list[Row] | BaseException | None] = Queue(_READY)
        self._pending: list[Row] = []
        self._stopped = Event()
        # A daemon thread: an interrupted process does not wait for the server.
        self._thread = Thread(target=self._run, name="sparkify-rows", daemon=True)
        self._thread.start()
        try:
            self._first = self._next()
        except BaseException:
            self.stop()
            raise

    def __iter__(self) -> Iterator[Row]:
        piece, self._first = self._first, None
        try:
            while piece:
                yield from piece
                piece = self._next()
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop the thread; return when it no longer uses the connection."""
        self._stopped.set()
        if self._thread.is_alive():
            self._abort()
            with suppress(Empty):
                while True:
                    self._pieces.get_nowait()
            self._thread.join(_GIVE_UP)

    def _next(self) -> list[Row] | None:
        """Return the next rows, None at the end."""
        piece = self._pieces.get()
        if isinstance(piece, BaseException):
            self._thread.join(_GIVE_UP)
            raise piece
        if piece is None:
            self._thread.join(_GIVE_UP)
        return piece

    def _run(self) -> None:
        end: BaseException | None = None
        try:
            self._produce(self._take)
            if self._pending:
                self._put(self._pending)
        except NobodyWantsThemError:
            return
        except BaseException as exc:  # noqa: BLE001 - raised again where the rows are read
            end = exc
        with suppress(NobodyWantsThemError):
            self._put(end)

    def _take(self, row: Row) -> None:
        self._pending.append(row)
        if len(self._pending) == _PIECE:
            piece, self._pending = self._pending, []
            self._put(piece)

    def _put(self, piece: list[Row] | BaseException | None) -> None:
        while not self._stopped.is_set():
            with suppress(Full):
                self._pieces.put(piece, timeout=_LOOK_EVERY)
                return
        raise NobodyWantsThemError
