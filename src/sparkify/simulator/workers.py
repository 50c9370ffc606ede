"""Start and stop worker processes that share a simulation's work, and receive their progress."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from sparkify.errors import FAILED, SourceError, SparkifyError
from sparkify.lake.writer import Writer
from sparkify.settings import AwsSettings
from sparkify.simulator.catalogue import Song, read_songs
from sparkify.simulator.manifest import make_room
from sparkify.simulator.world import (
    Counts,
    Report,
    SimulationPlan,
    World,
    write_dirty,
    write_share,
)

# A process takes about half a second to start and to build its world.
_WORTH_A_PROCESS = 300_000
# Seconds for a stopped worker to remove its unfinished files.
_PATIENCE = 5.0


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
    # Read once and handed on: a catalogue that cannot be read is noticed before anything is taken away, and
    # the workers must not see one that changed in between.
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
    with _started([(plan, uri, aws, known, worker, workers) for worker in range(1, workers)]) as running:
        world = World(plan, aws, known)
        # While they start, since removing a large simulation takes as long; they wait for our word.
        make_room(writer, world, force=force)
        for connection in running:
            with suppress(BrokenPipeError):  # _listen says how it ended
                connection.send("go")

        def count_all(*, files: int = 0, rows: int = 0, size: int = 0) -> None:
            count(files=files, rows=rows, size=size)
            # Between two files: what is raised while one is being written would look like its fault.
            if files:
                _listen(running, count, patience=0)

        # This process is the first worker: starting one more would cost what half a million events do.
        write_share(world, writer, 0, workers, count_all)
        while running:
            _listen(running, count)
    return counts


Task = tuple[SimulationPlan, str, AwsSettings, list[Song] | None, int, int]
Running = dict[Connection, SpawnProcess]


@contextmanager
def _started(tasks: Sequence[Task]) -> Iterator[Running]:
    """Start a process for each task, which waits for a start message; all are stopped at the end."""
    # Not fork: the object store's client has threads of its own, which a fork would leave behind.
    context = multiprocessing.get_context("spawn")
    running: Running = {}
    try:
        for task in tasks:
            mine, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, task), daemon=True)
            with _interrupts_held_back():
                process.start()
            theirs.close()
            running[mine] = process
        yield dict(running)
    finally:
        for process in running.values():
            process.terminate()
        for connection, process in running.items():
            process.join(_PATIENCE)
            if process.is_alive():  # in a request to a store that does not answer
                process.kill()
                process.join()
            connection.close()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Hold interrupts back, here for this moment and in a process started meanwhile until it ignores them.

    Without this, a worker that Ctrl-C reaches while it imports its libraries prints a traceback of its own.
    """
    # Started by the first process otherwise, and lets interrupts through again when it has been.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _listen(running: Running, report: Report, patience: float | None = None) -> None:
    """Report the workers' progress, and remove finished workers from ``running``.

    Args:
        running: The workers that are not done.
        report: Called with their progress.
        patience: Seconds to wait for the first message; None waits without a limit.

    Raises:
        SourceError: What a worker failed with.
        SparkifyError: A worker ended without a message.
    """
    while ready := wait(list(running), patience):
        patience = 0
        for connection in ready:
            assert isinstance(connection, Connection)
            try:
                kind, *values = connection.recv()
            except EOFError:
                running[connection].join()
                raise SparkifyError(
                    f"a worker process ended with exit code {running[connection].exitcode}.",
                    "If the machine is short of memory, use fewer --workers.",
                ) from None
            if kind == "done":
                del running[connection]
            elif kind == "failed":
                message, hint, uri = values
                raise SourceError(message, hint, uri=uri)
            else:
                files, rows, size = values
                report(files=files, rows=rows, size=size)


def _work(connection: Connection, task: Task) -> None:
    """Do one worker's share and send its progress; runs in its own process."""
    # Ctrl-C reaches the whole group; the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stopping: list[int] = []

    def tell(*, files: int = 0, rows: int = 0, size: int = 0) -> None:
        if stopping:
            sys.exit(128 + stopping[0])
        connection.send(("progress", files, rows, size))

    plan, uri, aws, known, worker, workers = task
    try:
        world, writer = World(plan, aws, known), Writer(uri, aws)
        connection.recv()
        # From now on its SIGTERM is obeyed between two chunks of a file, so that what is half written is
        # taken away on the way out.
        signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
        write_share(world, writer, worker, workers, tell)
        connection.send(("done",))
    except SourceError as exc:
        connection.send(("failed", exc.message, exc.hint, exc.uri))
    except (BrokenPipeError, EOFError):
        sys.exit(FAILED)  # the parent is gone, and with it the reason to go on
