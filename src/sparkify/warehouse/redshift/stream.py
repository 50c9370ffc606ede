"""Rows of an answer as they come, a bounded number of them in memory.

AWS's driver reads an answer to its end before it gives the first row, and keeps the rows in its cursor. A
cursor on the server would be another way, but there the whole answer is written out on the leader node first,
up to a limit of its own, and a cluster of one node gives 1,000 rows at a time. So the driver reads in a
thread, and hands every row on instead of keeping it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any

Row = tuple[Any, ...]

# Rows handed over at once, and how many such pieces may lie ready.
_PIECE = 250
_READY = 8
# Seconds: between two looks at whether anybody still wants rows, and until a thread is given up.
_LOOK_EVERY = 0.2
_GIVE_UP = 10.0


class NobodyWantsThemError(Exception):
    """The rest of an answer is not asked for any more."""


class RowStream:
    """Rows that a thread produces, for one who iterates over them, once.

    Args:
        produce: Called in the thread with what takes a row; what it raises is raised where they are read. It
            has to let :class:`NobodyWantsThemError` through.
        abort: Called to wake the thread where it waits for an answer.
    """

    def __init__(self, produce: Callable[[Callable[[Row], None]], None], abort: Callable[[], None]) -> None:
        self._produce = produce
        self._abort = abort
        self._pieces: Queue[list[Row] | BaseException | None] = Queue(_READY)
        self._pending: list[Row] = []
        self._stopped = Event()
        # A daemon: whoever was interrupted does not wait for a server.
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
        """Have no more rows produced; return when the thread has let go of its connection."""
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
