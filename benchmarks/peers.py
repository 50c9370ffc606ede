"""Ours beside the peers that fill the same tables: a new warehouse, and a day into one that is there.

``python -m benchmarks.peers --events 1000000 5000000 --rounds 3``. Each peer's tables are compared with ours, and a
difference ends the benchmark. The peers from packages (dbt, dlt) live in ``benchmarks/.peers``, installed when
they are first needed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import duckdb

from benchmarks.lakes import DAY, log_of, simulate_day, simulate_lake
from benchmarks.same_tables import STAGING, STAR, check_same
from benchmarks.timing import SPARKIFY, Comparison, Usage, compare, run_process

SIZES, SONGS, ROUNDS = (1_000_000, 5_000_000), 2_000, 3
# dlt takes more than a minute for a million events.
DLT_UP_TO = 1_000_000
_START, _DAYS, _NEXT = date(2018, 11, 1), 30, date(2018, 12, 1)
_HERE = Path(__file__).parent
_PLACE = _HERE / ".peers"
_PROJECT = _HERE / "dbt_project"


def main() -> None:
    """Read the options, print the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--events", type=int, nargs="+", default=SIZES, help="sizes of the warehouse")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"that count ({ROUNDS})")
    parser.add_argument("--dlt-up-to", type=int, default=DLT_UP_TO, help="the largest size dlt takes part in")
    options = parser.parse_args()
    for events in options.events:
        list(measure(events, options.rounds, dlt=events <= options.dlt_up_to))


def measure(
    events: int, rounds: int, *, dbt: bool = True, dlt: bool = True, day: bool = True, warm: bool = True
) -> Iterator[Comparison]:
    """Load ``events`` events and then a day more with everybody; print and yield the comparisons.

    Args:
        events: About so many are simulated.
        rounds: Rounds that count.
        dbt: Whether dbt takes part.
        dlt: Whether dlt takes part.
        day: Whether a day more is loaded.
        warm: Whether a round that does not count comes first.
    """
    folder = _install() if dbt or dlt else None
    with tempfile.TemporaryDirectory(prefix="sparkify-bench-") as name:
        root = Path(name)
        race = _Race(root, folder / "bin" if folder else None)
        simulate_lake(race.lake, events, SONGS, _START, _DAYS)
        contestants = {"sparkify etl": race.ours, "hand-written script": race.script}
        if dbt and folder:
            contestants["dbt-duckdb"] = race.dbt
        cold = dict(contestants)
        if dlt and folder:
            cold["dlt, staging alone"] = race.dlt
        title = f"About {events:,} events and {SONGS:,} songs into a new warehouse"
        yield compare(title, cold, rounds, warm=warm)
        if day:
            race.add_day()
            title = f"A day of {DAY:,} events into a warehouse of about {events:,}"
            yield compare(title, contestants, rounds, warm=warm)


class _Race:
    """The contestants on one lake; first they make warehouses, then they add a day to copies of them."""

    def __init__(self, root: Path, programs: Path | None) -> None:
        self.lake = root / "lake"
        self._root = root
        self._programs = programs
        self._day: Path | None = None
        self._compared: set[str] = set()

    def add_day(self) -> None:
        """Go on with a day more: keep the warehouses as they are, and start each time from a copy."""
        data = simulate_day(self._root / "next", _NEXT, self.lake / "song_data")
        self._day = self.lake / log_of(_NEXT)
        self._day.parent.mkdir(parents=True)
        self._day.write_bytes(data)
        self._compared.clear()
        for database in list(self._root.glob("*.duckdb")):
            database.rename(database.with_suffix(".before"))

    def ours(self) -> Usage:
        logs, songs = self._both()
        command: list[str | Path] = [*SPARKIFY, "etl", "--lenient", "--database", self._begin("ours")]
        command += ["--log-data", logs]
        return run_process(command if self._day else [*command, "--song-data", songs])

    def script(self) -> Usage:
        program: list[str | Path] = [sys.executable, _HERE / "hand_written.py", self._begin("script")]
        used = run_process([*program, *([self._day.parent] if self._day else self._both())])
        return self._same("script", used)

    def dbt(self) -> Usage:
        assert self._programs
        logs = self._day or self.lake / "log_data" / "**" / "*.json"
        songs = self.lake / "song_data" / "**" / "*.json"
        variables = {"database": self._begin("dbt"), "logs": logs, "songs": songs}
        command: list[str | Path] = [self._programs / "dbt", "--quiet", "run"]
        command += ["--project-dir", _PROJECT, "--profiles-dir", _PROJECT]
        command += ["--target-path", self._root / "target", "--log-path", self._root / "logs"]
        command += ["--vars", json.dumps({name: str(value) for name, value in variables.items()})]
        # As one does who knows that the catalogue has nothing new.
        command += ["--select", "staging_events", "songplays", "users", "time"] if self._day else []
        return self._same("dbt", run_process(command))

    def dlt(self) -> Usage:
        assert self._programs
        program = [self._programs / "python", _HERE / "dlt_staging.py", self._begin("dlt"), *self._both()]
        return self._same("dlt", run_process(program), STAGING, "staging")

    def _both(self) -> list[Path]:
        return [self.lake / "log_data", self.lake / "song_data"]

    def _begin(self, name: str) -> Path:
        """Return the path of a contestant's warehouse, as it is before a round."""
        database = self._root / f"{name}.duckdb"
        database.unlink(missing_ok=True)
        if self._day:
            shutil.copyfile(database.with_suffix(".before"), database)
        return database

    def _same(
        self, name: str, used: Usage, tables: Sequence[str] = STAGING + STAR, schema: str = "main"
    ) -> Usage:
        """Compare a peer's tables with ours, once; hand on what it used."""
        if name not in self._compared:
            check_same(self._root / "ours.duckdb", name, self._root / f"{name}.duckdb", tables, schema)
            self._compared.add(name)
        return used


def _install() -> Path | None:
    """Return the folder with the peers, made if it is not there or not this one; None: they cannot be had."""
    wanted = (_HERE / "peers.txt").read_text() + f"duckdb=={duckdb.__version__} {sys.version}"
    mark = _PLACE / "installed"
    if mark.is_file() and mark.read_text() == wanted:
        return _PLACE
    print(
        f"install dbt and dlt of benchmarks/peers.txt in {_PLACE.relative_to(_HERE.parent)}, once", flush=True
    )
    shutil.rmtree(_PLACE, ignore_errors=True)
    pip: list[str | Path] = [_PLACE / "bin" / "python", "-m", "pip", "install", "--quiet", "--retries", "1"]
    pip += ["--disable-pip-version-check", "-r", _HERE / "peers.txt", f"duckdb=={duckdb.__version__}"]
    try:
        subprocess.run([sys.executable, "-m", "venv", _PLACE], check=True, capture_output=True)
        subprocess.run(pip, check=True, capture_output=True)
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        print(f"dbt and dlt are left out: they cannot be installed ({last})", flush=True)
        return None
    mark.write_text(wanted)
    return _PLACE


if __name__ == "__main__":
    main()
