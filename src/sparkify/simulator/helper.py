"""A process that writes day files for the simulation: it is sent events, and encodes and writes them.

It has the encoder from the start if it is forked, and else is sent it. A message is one of the tuples below.
What it tells: ``ready`` for the encoder, ``progress``, ``failed`` and ``done``.
"""

from __future__ import annotations

import queue
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any

from sparkify.errors import FAILED, SourceError
from sparkify.lake.writer import Writer
from sparkify.settings import AwsSettings
from sparkify.simulator.day_file import write_day
from sparkify.simulator.encoder import Encoder
from sparkify.simulator.simulation import Events

# The first item of a message.
ENCODER, FILE, EVENTS, END, STOP = range(5)
Task = tuple[str, AwsSettings, str]


def work(
    connection: Connection, task: Task, encoder: Encoder | None = None, inherited: Sequence[Connection] = ()
) -> None:
    """Write the files whose events are sent, until told to stop; runs in its own process.

    Args:
        connection: To the simulation.
        task: The place to write to, how to reach it, and the compression.
        encoder: Of the simulation; None: it will be sent.
        inherited: The simulation's ends of connections, which a fork has copied: closed here, so that all are
            closed when the simulation is gone.
    """
    for each in inherited:
        each.close()
    # What the command does on a signal is not done here. Ctrl-C reaches the whole group; the parent decides.
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    stopping: list[int] = []
    messages: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def tell(*, files: int = 0, rows: int = 0, size: int = 0) -> None:
        if stopping:
            sys.exit(128 + stopping[0])
        connection.send(("progress", files, rows, size))

    uri, aws, compression = task
    try:
        writer = Writer(uri, aws)
        if encoder is None:
            connection.send(("ready",))
        # What is sent is received at once: the simulation never waits for a file.
        threading.Thread(target=_receive, args=(connection, messages), daemon=True).start()
        while (message := messages.get())[0] != STOP:
            if message[0] == ENCODER:
                encoder = message[1]
                continue
            # A SIGTERM meanwhile is obeyed between two chunks, so that what is half written is taken away.
            before = signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
            assert encoder is not None
            write_day(encoder, writer, message[1], _parts(messages), compression, tell)
            signal.signal(signal.SIGTERM, before)
            tell()
        connection.send(("done",))
    except SourceError as exc:
        connection.send(("failed", exc.message, exc.hint, exc.uri))
    except (BrokenPipeError, EOFError):
        sys.exit(FAILED)  # the parent is gone, and with it the reason to go on


def _receive(connection: Connection, messages: queue.SimpleQueue[Any]) -> None:
    message: Any = (END,)
    while message[0] != STOP:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            message = (STOP,)
        messages.put(message)


def _parts(messages: queue.SimpleQueue[Any]) -> Iterator[Events]:
    """Yield the events of the file that is being sent."""
    while (message := messages.get())[0] == EVENTS:
        yield message[1]
    if message[0] == STOP:
        sys.exit(FAILED)  # the simulation is gone in the middle of a day
