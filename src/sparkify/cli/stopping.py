"""Ctrl-C and SIGTERM: answered at once, obeyed as soon as whatever works for us lets go.

Python runs a signal's handler in the main thread, between two of its own instructions: not while a library
carries out a statement of minutes. But the system writes the signal's number into a pipe at once. A thread
reads it, answers, and interrupts the statement until the main thread has heard. From there on an interrupt is
a ``KeyboardInterrupt``, whatever the signal: everything between rolls back and removes what it has made.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

# Seconds between two interrupts of what works for us: one that comes between two statements is lost.
_EVERY = 0.05
# Seconds after which a second Ctrl-C is another one; some who start processes hand each on twice.
_ANOTHER = 1.0

# The signals that the main thread has heard.
_heard: list[int] = []
# Held while the statement is interrupted, and while a signal is heard: what rolls back is never interrupted.
_lock = threading.RLock()
_interrupt: Callable[[], None] | None = None
_answer = ""
_answered = False


def listen() -> None:
    """Handle signals from now on; for the process of a command, once."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    start(threading.Thread(target=_watch, args=(reading,), name="sparkify-signals", daemon=True))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, hear)


def start(thread: threading.Thread) -> None:
    """Start a thread that takes no signal: what the main thread holds back would be delivered to it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore() -> None:
    """Ignore signals from now on: all is done, and told."""
    global _interrupt  # noqa: PLW0603 - a process has one handler of a signal
    _interrupt = None  # DuckDB's library complains of a connection that is left at the end
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def end(code: int) -> NoReturn:
    """End a process that a signal has stopped, when all is told.

    Not as Python ends: it might end itself by SIGINT, because it has seen a KeyboardInterrupt that nobody
    handled while a library was imported, and DuckDB complains of its own objects that are left then.
    """
    atexit._run_exitfuncs()  # noqa: SLF001 - temporary files and worker processes
    os._exit(code)


def hear(number: int, _frame: object) -> None:
    """Stop for a signal; do nothing for a further one, which would break the rolling back."""
    with _lock:
        _answer_once()
        _heard.append(number)
        first = len(_heard) == 1
    if first:
        raise KeyboardInterrupt


def heard() -> int:
    """Return the number of the signal that stops us; 0 if there was none."""
    return _heard[0] if _heard else 0


def heed() -> None:
    """Raise KeyboardInterrupt again if there was a signal: what it interrupted may have swallowed the first.

    Modules are imported that way, and objects finalised.
    """
    if _heard:
        raise KeyboardInterrupt


def interrupting(interrupt: Callable[[], None]) -> None:
    """Call this, from another thread, when a signal arrives; it ends what the main thread waits for."""
    global _interrupt  # noqa: PLW0603 - likewise
    _interrupt = interrupt
    heed()


@contextmanager
def answering(answer: str) -> Iterator[None]:
    """Say ``answer`` too, such as ``rolling back``, to a signal that arrives inside."""
    global _answer  # noqa: PLW0603 - likewise
    before, _answer = _answer, answer
    try:
        yield
    finally:
        _answer = before


def _watch(pipe: int) -> None:
    first, begun = os.read(pipe, 1)[0], time.monotonic()
    while True:
        with _lock:
            _answer_once()
            waits = not _heard
            if waits and _interrupt:
                with suppress(Exception):  # it is being closed
                    _interrupt()
        if select.select([pipe], [], [], _EVERY if waits else None)[0]:
            number = os.read(pipe, 1)[0]
            if number == signal.SIGINT and time.monotonic() - begun > _ANOTHER:
                _end(first)


def _answer_once() -> None:
    global _answered  # noqa: PLW0603 - likewise
    if not _answered:
        _answered = True
        _say(f"stopping: {_answer}" if _answer else "stopping")


def _end(number: int) -> NoReturn:
    """End at once, as if killed; what is left the next run removes."""
    _say("stopped at once; the next run removes what is left")
    if os.isatty(2):
        os.write(2, b"\x1b[?25h")  # a progress bar hides the cursor
    os._exit(128 + number)


def _say(text: str) -> None:
    # Not with print: the main thread may be in the middle of one.
    with suppress(OSError):
        os.write(2, f"{chr(10) * os.isatty(2)}{text}\n".encode())
