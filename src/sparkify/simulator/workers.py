"""Share a simulation's work among processes: this one simulates, and all write.

Writing costs several times what simulating does. So one process simulates, which nothing has to be agreed
on for, and sends days to helpers (:mod:`sparkify.simulator.helper`); while they have enough to do, it writes
days itself. Each file has one author, and the bytes do not depend on who that is.
"""

from __future__ import annotations

import os
import signal
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, ForkProcess, SpawnContext, SpawnProcess
from pathlib import Path

from sparkify.errors import SourceError, SparkifyError
from sparkify.lake.writer import Writer
from sparkify.settings import AwsSettings
from sparkify.simulator.catalogue import read_songs
from sparkify.simulator.day_file import Report, write_day
from sparkify.simulator.encoder import Encoder
from sparkify.simulator.helper import ENCODER, END, EVENTS, FILE, STOP, Task, work
from sparkify.simulator.manifest import make_room
from sparkify.simulator.simulation import Events
from sparkify.simulator.world import (
    Counts,
    SimulationPlan,
    World,
    write_dirty,
    write_songs,
    write_truth,
)

# With so many events a forked process saves a tenth of a second, and one that is started anew nothing yet.
_WORTH_A_PROCESS = 300_000
# A helper has enough to do for now with so many events to write, or with as many as two units have: while it
# writes one, this process writes another, and simulates two. Of very busy days one is enough: they wait in
# memory.
_ENOUGH, _MUCH = 80_000, 2_000_000
# Seconds for a stopped helper to remove its unfinished files.
_PATIENCE = 5.0
Unit = list[tuple[int, Iterable[Events]]]


def simulate(
    plan: SimulationPlan,
    uri: str,
    aws: AwsSettings,
    *,
    workers: int = 0,
    force: bool = False,
    report: Report | None = None,
) -> Counts:
    """Write a whole simulation below ``uri`` and return what was written.

    Args:
        plan: What to simulate.
        uri: A local folder or ``s3://`` prefix.
        aws: Credentials, region and endpoint for S3.
        workers: Processes; 0 for as many as there are processors and it is worth it.
        force: Replace an earlier simulation there.
        report: Told of progress.

    Raises:
        SourceError: The place is not empty, or cannot be written.
    """
    writer = Writer(uri, aws)
    # First: a catalogue that cannot be read is noticed before anything is taken away.
    known = read_songs(plan.song_data, aws) if plan.song_data else None
    counts = Counts()

    def count(*, files: int = 0, rows: int = 0, size: int = 0) -> None:
        counts(files=files, rows=rows, size=size)
        if report is not None:
            report(files=files, rows=rows, size=size)

    if not workers:
        expected = 3 * plan.users * plan.days
        workers = min(os.cpu_count() or 1, 1 + expected // _WORTH_A_PROCESS)
    if plan.dirty:
        # One process: late events cross from day to day.
        world = World(plan, aws, known)
        make_room(writer, world, force=force)
        write_dirty(world, writer, count)
        return counts
    world = World(plan, aws, known)
    # Before anything is written: a process that has used the object store's client cannot be forked.
    with _started(workers - 1, (uri, aws, plan.compression), world.encoder) as helpers:
        make_room(writer, world, force=force)
        _write_all(world, writer, helpers, count)
    if plan.churn:
        write_truth(world, writer, {"totals": {}}, count)
    return counts


@dataclass(eq=False)
class _Helper:
    """A process that writes days.

    Attributes:
        process: It.
        connection: To it.
        ready: Whether it has the encoder.
        waiting: So many events that were sent are not written yet.
    """

    process: ForkProcess | SpawnProcess
    connection: Connection
    ready: bool = False
    waiting: int = 0


Helpers = list[_Helper]


def _write_all(world: World, writer: Writer, helpers: Helpers, report: Report) -> None:
    """Write the songs and every day's file, with the help of ``helpers``."""
    plan = world.plan
    units = world.units()
    working = list(helpers)
    # Events; days that nobody has simulated yet, and events on one of those before.
    enough, left, a_day = _ENOUGH, plan.days, float(_MUCH)

    def feed() -> None:
        """Simulate as many days more as keep the helpers busy while this process writes some."""
        nonlocal enough, left, a_day
        _listen(working, world.encoder, report, patience=0)
        # At the end each has the same, or one would write the last days while the others wait.
        while free := [
            helper
            for helper in working
            if helper.ready and helper.waiting < min(enough, left * a_day / (len(working) + 1))
        ]:
            unit = next(units, None)
            if unit is None:
                return
            left -= len(unit)
            sent = _send(min(free, key=lambda helper: helper.waiting), plan, unit)
            enough = max(_ENOUGH, sent, min(2 * sent, _MUCH))
            a_day = max(sent, 1) / len(unit)

    def count(*, files: int = 0, rows: int = 0, size: int = 0) -> None:
        report(files=files, rows=rows, size=size)
        # Between two files: what is raised while one is being written would look like its fault.
        if files:
            feed()

    feed()
    write_songs(world, writer, count)
    for unit in units:
        left -= len(unit)
        # What is written here is simulated first, if days of the helpers come in between.
        days = [(day, list(parts) if working else parts) for day, parts in unit]
        for day, parts in days:
            write_day(world.encoder, writer, plan.log_key(day), parts, plan.compression, count)
        feed()
    # Those who are not ready by now are not needed.
    working = [helper for helper in working if helper.ready]
    for helper in working:
        _tell(helper, (STOP,))
    while working:
        _listen(working, world.encoder, report)


def _send(helper: _Helper, plan: SimulationPlan, unit: Unit) -> int:
    """Send a unit's days; return the number of events."""
    before = helper.waiting
    for day, parts in unit:
        _tell(helper, (FILE, plan.log_key(day)))
        for events in parts:
            helper.waiting += len(events)
            _tell(helper, (EVENTS, events))
        _tell(helper, (END,))
    return helper.waiting - before


def _tell(helper: _Helper, message: tuple[object, ...]) -> None:
    with suppress(BrokenPipeError):  # _listen says how it ended
        helper.connection.send(message)


@contextmanager
def _started(count: int, task: Task, encoder: Encoder) -> Iterator[Helpers]:
    """Start processes, by fork where that is safe; all are stopped at the end."""
    forks = _may_fork()
    context: ForkContext | SpawnContext = get_context("fork") if forks else get_context("spawn")
    if count and not forks:
        # Started by the first process otherwise, and lets interrupts through again when it has been.
        resource_tracker.ensure_running()
    helpers: Helpers = []
    try:
        for _ in range(count):
            mine, theirs = context.Pipe()
            inherited = [*(helper.connection for helper in helpers), mine]
            arguments = (theirs, task, encoder, inherited) if forks else (theirs, task)
            process = context.Process(target=work, args=arguments, daemon=True)
            with _signals_held_back(), warnings.catch_warnings():
                # Python 3.12 and later warn of any thread: see _may_fork.
                warnings.simplefilter("ignore", DeprecationWarning)
                process.start()
            theirs.close()
            helpers.append(_Helper(process, mine, ready=forks))
        yield helpers
    finally:
        for helper in helpers:
            helper.process.terminate()
            helper.connection.close()  # it may wait for more of a day
        for helper in helpers:
            helper.process.join(_PATIENCE)
            if helper.process.is_alive():  # in a request to a store that does not answer
                helper.process.kill()
                helper.process.join()


def _may_fork() -> bool:
    """Tell whether every thread is one of Python's: what other threads hold, a fork would never get back.

    The object store's client starts such threads when it is first used. False where it cannot be found out.
    """
    threads = Path("/proc/self/task")
    known = [each for each in threading.enumerate() if not isinstance(each, threading._DummyThread)]  # noqa: SLF001
    return threads.is_dir() and len(list(threads.iterdir())) == len(known)


@contextmanager
def _signals_held_back() -> Iterator[None]:
    """Hold signals back, here for this moment and in a process started meanwhile until it lets them through.

    Without this, a worker that Ctrl-C reaches while it starts prints a traceback of its own.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _listen(working: Helpers, encoder: Encoder, report: Report, patience: float | None = None) -> None:
    """Hear what the helpers have to say, and remove those that are done from ``working``.

    Args:
        working: The helpers that are not done.
        encoder: For those who are ready for it.
        report: Called with their progress.
        patience: Seconds to wait for the first message; None waits without a limit.

    Raises:
        SourceError: What a helper failed with.
        SparkifyError: A helper ended without a message.
    """
    by_connection = {helper.connection: helper for helper in working}
    while ready := wait(list(by_connection), patience):
        patience = 0
        for connection in ready:
            assert isinstance(connection, Connection)
            helper = by_connection[connection]
            try:
                kind, *values = connection.recv()
            except EOFError:
                helper.process.join()
                raise SparkifyError(
                    f"a worker process ended with exit code {helper.process.exitcode}.",
                    "If the machine is short of memory, use fewer --workers.",
                ) from None
            if kind == "ready":
                helper.ready = True
                _tell(helper, (ENCODER, encoder))
            elif kind == "done":
                working.remove(helper)
                del by_connection[connection]
            elif kind == "failed":
                message, hint, uri = values
                raise SourceError(message, hint, uri=uri)
            else:
                files, rows, size = values
                helper.waiting -= rows
                report(files=files, rows=rows, size=size)
