"""What a little new data costs in a large warehouse, beside the same day into an empty one.

``python -m benchmarks.large --events 10000000 --rounds 3``: a year of simulated events is loaded once; every trial
works on a copy of that warehouse. Copying is not timed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.lakes import DAY, log_of, simulate_day, simulate_lake
from benchmarks.timing import SPARKIFY, Comparison, Usage, compare, run_process

EVENTS, SONGS, ROUNDS = 10_000_000, 30_000, 3
_YEAR = date(2018, 1, 1), 365
_NEW_DAY = log_of(date(2019, 1, 1))
_OLD_DAY = log_of(date(2018, 7, 3))
_LATE_BY = 330 * 86_400_000
_PLAYS_OF_NEW_SONG = 1_000
_EVENTS_OF_PERSON = 2_000
_TOLD = {
    "events": "SELECT COUNT(*) FROM staging_events",
    "plays": "SELECT COUNT(*) FROM songplays",
    "plays with a song": "SELECT COUNT(song_id) FROM songplays",
    "songs": "SELECT COUNT(*) FROM songs",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """A change to the lake and the command that takes it in.

    Attributes:
        name: What it is called.
        warehouse: The warehouse it starts from: a copy of it is worked on.
        command: Arguments of sparkify, without the database.
        files: What lies in the lake meanwhile, in place of what is there.
    """

    name: str
    warehouse: Path
    command: Sequence[str | Path]
    files: Mapping[Path, bytes]


def main() -> None:
    """Read the options, print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--events", type=int, default=EVENTS, help=f"of the large warehouse ({EVENTS:,})")
    parser.add_argument("--songs", type=int, default=SONGS, help=f"files of the catalogue ({SONGS:,})")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"that count ({ROUNDS})")
    parser.add_argument("--only", metavar="WORDS", help="only trials whose names have one of WORDS (a,b,…)")
    parser.add_argument("--lake", type=Path, help="keep the lake in this folder, take it if it is there")
    parser.add_argument("--memory", help="MEMORY of every command (what sparkify takes by itself)")
    options = parser.parse_args()
    measure(
        options.events,
        options.songs,
        options.rounds,
        only=options.only,
        kept=options.lake,
        memory=options.memory,
    )


def measure(
    events: int = EVENTS,
    songs: int = SONGS,
    rounds: int = ROUNDS,
    *,
    only: str | None = None,
    kept: Path | None = None,
    memory: str | None = None,
    warm: bool = True,
) -> Comparison:
    """Build the large warehouse, run every trial in turn; print and return the comparison.

    Args:
        events: About so many the warehouse has.
        songs: Files of the catalogue.
        rounds: Rounds that count.
        only: Words, joined by commas, one of which the name of a trial must have; None: all. The first trial always
            runs.
        kept: A folder for the lake, used as it is if it is there; None: a temporary one.
        memory: The memory that every command may use, as sparkify takes it; None: what it takes by itself.
        warm: Whether a round that does not count comes first.
    """
    with tempfile.TemporaryDirectory(prefix="sparkify-bench-") as name:
        root = Path(name)
        lake = kept or root / "lake"
        if not lake.is_dir():
            _say(f"simulate {events:,} events of a year and {songs:,} songs")
            simulate_lake(lake, events, songs, *_YEAR)
        trials = _prepare(root, lake, [] if memory is None else ["--memory", memory])
        if only:
            words = only.split(",")
            trials = [trials[0], *(t for t in trials[1:] if any(word in t.name for word in words))]
        notes: dict[str, str] = {}
        copy = root / "copy.duckdb"
        return compare(
            f"Into a warehouse of {_counts(root / 'large.duckdb')['events']:,} events",
            {trial.name: _runner(trial, lake, copy, notes) for trial in trials},
            rounds,
            notes,
            warm=warm,
        )


def _prepare(root: Path, lake: Path, memory: Sequence[str]) -> list[Trial]:
    """Load the lake into a large warehouse, make the files that are new to it; say what the load used."""
    empty, large, with_day = (root / f"{name}.duckdb" for name in ("empty", "large", "with_day"))
    logs, songs = lake / "log_data", lake / "song_data"
    both: list[str | Path] = ["--log-data", logs, "--song-data", songs]
    _cut(lake / _OLD_DAY)
    _say("load it")
    _sparkify("create-tables", "--database", empty)
    etl = ["etl", "--lenient", *memory]
    used = _sparkify(*etl, "--database", large, *both)
    _say(f"{used.seconds:.1f} s, {used.processor:.1f} s of processors, at most {used.peak / 1e6:,.0f} MB")
    _say("make what is new")
    day = simulate_day(root / "next", date(2019, 1, 1), songs)
    late = json.loads(next(line for line in day.splitlines() if b'"NextSong"' in line))
    late |= {"ts": late["ts"] - _LATE_BY, "sessionId": 10**9, "itemInSession": 0}
    old_day = (lake / _OLD_DAY).read_bytes().splitlines(keepends=True)
    played, plays = _played_song(large)
    unplayed = {Path(f"new_songs/TRNEW{n}.json"): _song(n, title=f"Never Played {n}") for n in range(10)}
    shutil.copy(large, with_day)
    with _laid(lake, {_NEW_DAY: day}):
        _sparkify(*etl, "--database", with_day, "--log-data", logs)
    load_logs: list[str | Path] = [*etl, "--log-data", logs]
    load_new_songs: list[str | Path] = [*etl, "--song-data", lake / "new_songs"]
    with_late = day.rstrip(b"\n") + b"\n" + json.dumps(late).encode() + b"\n"
    shorter = b"".join(old_day[: len(old_day) * 9 // 10])
    run = _ask(with_day, "SELECT MAX(run_id) FROM etl.runs")[0]
    who, events = _person(large)
    all_but_first = ["--older-than", f"{_YEAR[1] - 1}d", "--as-of", str(_YEAR[0] + timedelta(_YEAR[1]))]
    new_day: list[str | Path] = [*etl, "--log-data", (lake / _NEW_DAY).parent]
    return [
        Trial("a day into empty", empty, new_day, {_NEW_DAY: day}),
        Trial("a day", large, load_logs, {_NEW_DAY: day}),
        Trial("a day with one late event", large, load_logs, {_NEW_DAY: with_late}),
        Trial("10 songs nobody played", large, load_new_songs, unplayed),
        Trial(f"a song played {plays:,} times", large, load_new_songs, {Path("new_songs/TRA.json"): played}),
        Trial("a day's file replaced", large, load_logs, {_OLD_DAY: shorter}),
        Trial("retract a day of last year", large, ["retract", "--yes", lake / _OLD_DAY], {}),
        Trial("undo the last day", with_day, ["undo", "--yes", str(run)], {_NEW_DAY: day}),
        Trial("nothing new, all files", large, [*etl, *both], {}),
        Trial("retain all but the first day", large, ["retain", "--yes", *all_but_first], {}),
        Trial(
            f"forget a person of {events:,} events, and rewrite the file", large, ["forget", "--yes", who], {}
        ),
        Trial("rewrite the file alone", large, ["compact"], {}),
    ]


def _cut(log: Path) -> None:
    """Leave as many events in a log as the day has that is loaded into an empty warehouse.

    What it takes to replace or remove them is compared with that.
    """
    lines = log.read_bytes().splitlines(keepends=True)
    if len(lines) > DAY:
        log.write_bytes(b"".join(lines[:: len(lines) // DAY][:DAY]))


def _runner(trial: Trial, lake: Path, copy: Path, notes: dict[str, str]) -> Callable[[], Usage]:
    before = _counts(trial.warehouse)

    def run() -> Usage:
        subprocess.run(["cp", "--reflink=auto", trial.warehouse, copy], check=True)
        # The trial's own commit would wait until all of the copy is on the disk.
        with copy.open("rb") as file:
            os.fsync(file.fileno())
        with _laid(lake, trial.files):
            used = run_process([*SPARKIFY, *trial.command, "--database", copy])
        if trial.name not in notes:
            # A trial that changed nothing, or something else, would measure nothing.
            notes[trial.name] = _difference(before, _counts(copy))
        copy.unlink()
        return used

    return run


@contextmanager
def _laid(lake: Path, files: Mapping[Path, bytes]) -> Iterator[None]:
    """Lay files into the lake for a while; those they replace come back with their own times of change."""
    aside = {lake / path: lake / f"{path.name}.aside" for path in files}
    for path, place in aside.items():
        if path.exists():
            path.rename(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[path.relative_to(lake)])
    try:
        yield
    finally:
        for path, place in aside.items():
            path.unlink()
            if place.exists():
                place.rename(path)


def _played_song(database: Path) -> tuple[bytes, int]:
    """Return the record of a song that the catalogue lacks and that was played about a thousand times."""
    title, artist, length, plays = _ask(
        database,
        f"""SELECT song, artist, length, COUNT(*) AS plays FROM songplays WHERE song_id IS NULL GROUP BY ALL
            ORDER BY ABS(plays - {_PLAYS_OF_NEW_SONG}), song, artist, length LIMIT 1""",
    )
    return _song(100, title=title, artist_name=artist, duration=length), plays


def _person(database: Path) -> tuple[str, int]:
    """Return who has about two thousand events, and how many."""
    who, events = _ask(
        database,
        f"""SELECT user_id, COUNT(*) AS events FROM staging_events WHERE user_id <> '' GROUP BY user_id
            ORDER BY ABS(events - {_EVENTS_OF_PERSON}), user_id LIMIT 1""",
    )
    return who, events


def _song(number: int, **others: object) -> bytes:
    song = {
        "num_songs": 1,
        "artist_id": f"ARNEW{number:013}",
        "artist_latitude": None,
        "artist_longitude": None,
        "artist_location": "",
        "artist_name": f"New Artist {number}",
        "song_id": f"SONEW{number:013}",
        "title": "",
        "duration": 200.0,
        "year": 2018,
    }
    return json.dumps(song | others).encode()


def _counts(database: Path) -> dict[str, int]:
    return {name: _ask(database, question)[0] for name, question in _TOLD.items()}


def _difference(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    changes = {name: after[name] - before[name] for name in before}
    return ", ".join(f"{change:+,} {name}" for name, change in changes.items() if change) or "no rows"


def _ask(database: Path, question: str) -> tuple[Any, ...]:
    with duckdb.connect(str(database), read_only=True) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return row


def _sparkify(*arguments: str | Path) -> Usage:
    return run_process([*SPARKIFY, *arguments])


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
