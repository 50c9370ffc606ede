"""A process that writes day files for the simulation: it is sent events, and encodes and writes them.

It imports and makes as little as it can: the simulation sends it the encoder. A message is one of the tuples
below. What it tells: ``ready`` for the encoder, ``progress``, ``failed`` and ``done``.
"""

from __future__ import annotations

import queue
import signal
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from sparkify.errors import FAILED, SourceError
from sparkify.lake.writer import Writer
from sparkify.settings import AwsSettings
from sparkify.simulator.day_file import write_day
from sparkify.simulator.simulation import Events

# The first item of a message.
ENCODER, FILE, EVENTS, END, STOP = range(5)
Task = tuple[str, AwsSettings, str]


def work(connection: Connection, task: Task) -> None:
    """Write the files whose events are sent, until told to stop; runs in its own process.

    Args:
        connection: To the simulation.
        task: The place to write to, how to reach it, and the compression.
    """
    # Ctrl-C reaches the whole group; the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stopping: list[int] = []
    messages: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def tell(*, files: int = 0, rows: int = 0, size: int = 0) -> None:
        if stopping:
            sys.exit(128 + stopping[0])
        connection.send(("progress", files, rows, size))

    uri, aws, compression = task
    try:
        writer = Writer(uri, aws)
        connection.send(("ready",))
        # What is sent is received at once: the simulation never waits for a file.
        threading.Thread(target=_receive, args=(connection, messages), daemon=True).start()
        encoder: Any = None
        while (message := messages.get())[0] != STOP:
            if message[0] == ENCODER:
                encoder = message[1]
                continue
            # A SIGTERM meanwhile is obeyed between two chunks, so that what is half written is taken away.
            before = signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
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
