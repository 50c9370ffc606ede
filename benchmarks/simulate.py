"""How fast events are written as JSON, beside DuckDB's ``COPY … TO (FORMAT json)`` of the same rows.

Both use two cores and write plain files into one folder, in turn, in one run. DuckDB copies rows it already
has in memory; the simulator makes them first. Four million events, where the start of the command (1 s of a
processor) hardly counts, and one million, where it does.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

_SIZES, _ROUNDS, _WORKERS = ((100_000, 14), (57_000, 7)), 3, 2
# In memory where there is such a place: what is compared is the writing, not the disk.
_PLACE = "/dev/shm" if Path("/dev/shm").is_dir() else None


def main() -> list[str]:
    """Print and return medians in events a second and their ratio, for each size."""
    lines = [line for users, days in _SIZES for line in _race(users, days)]
    print("\n" + "\n".join(lines))
    return lines


def _race(users: int, days: int) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="sparkify-bench-", dir=_PLACE) as folder:
        out = Path(folder)
        events = _simulate(out / "0", users, days)["events"]
        connection = duckdb.connect(config={"threads": _WORKERS, "temp_directory": folder})
        logs = out / "0" / "log_data" / "*" / "*" / "*.json"
        connection.execute(f"CREATE TABLE events AS FROM read_json('{logs}', format='newline_delimited')")
        copy = f"COPY events TO '{out}/copy.json' (FORMAT json)"
        ours: list[tuple[float, float]] = []
        theirs: list[tuple[float, float]] = []
        for _ in range(_ROUNDS):
            ours.append(_timed(lambda: _simulate(out / "0", users, days), resource.RUSAGE_CHILDREN))
            theirs.append(_timed(lambda: connection.execute(copy), resource.RUSAGE_SELF))
    lines = [
        f"{events:,} events on {_WORKERS} cores, medians of {_ROUNDS} rounds, start of the command included"
    ]
    # On a busy machine the clock says little; the time of the processors says what the work costs.
    for index, measure in enumerate(("second", "second of a processor")):
        mine = events / statistics.median(times[index] for times in ours)
        peer = events / statistics.median(times[index] for times in theirs)
        lines.append(
            f"a {measure}: simulate {mine:,.0f} events, duckdb {duckdb.__version__} COPY {peer:,.0f} rows, "
            f"ratio {mine / peer:.2f} (bar: 1.5)"
        )
    return lines


def memory(users: int, days: int) -> None:
    """Print the peak of resident memory of one simulation, all its processes summed.

    On the disk: 50 million events are 24 GB.
    """
    with tempfile.TemporaryDirectory(prefix="sparkify-bench-") as folder:
        peaks: list[int] = []
        done = threading.Event()
        watch = threading.Thread(target=_watch, args=(os.getpid(), peaks, done))
        watch.start()
        told = _simulate(Path(folder) / "0", users, days)
        done.set()
        watch.join()
    rate = told["events"] / told["seconds"]
    print(f"{told['events']:,} events: {max(peaks) / 1e6:,.0f} MB at most, {rate:,.0f} events/s")


def _simulate(out: Path, users: int, days: int) -> dict[str, float]:
    """Run the command as a person does; the time is its own, from the checks to the last file."""
    command = [sys.executable, "-c", "from sparkify.cli import main; main()", "simulate", str(out), "--json"]
    command += ["--users", str(users), "--days", str(days), "--songs", "500", "--force"]
    command += ["--workers", str(_WORKERS)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _timed(work: Callable[[], object], whose: int) -> tuple[float, float]:
    """Return the seconds that pass, and those the processors work for us (``whose``: see getrusage)."""
    started, before = time.perf_counter(), resource.getrusage(whose)
    work()
    after = resource.getrusage(whose)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - started, used


def _watch(root: int, peaks: list[int], done: threading.Event) -> None:
    """Sum the resident memory of all descendants of a process ten times a second (Linux)."""
    page = os.sysconf("SC_PAGE_SIZE")
    while not done.wait(0.1):
        parents: dict[int, int] = {}
        sizes: dict[int, int] = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                name, _, rest = path.read_text().rpartition(")")
            except OSError:
                continue
            process, fields = int(name.split()[0]), rest.split()
            parents[process], sizes[process] = int(fields[1]), int(fields[21]) * page
        below = {root}
        while more := {process for process, parent in parents.items() if parent in below} - below:
            below |= more
        peaks.append(sum(sizes[process] for process in below - {root}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        memory(*(int(argument) for argument in sys.argv[2:4]))
    else:
        main()
