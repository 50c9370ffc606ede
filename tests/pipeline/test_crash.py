"""A run killed at any moment leaves the warehouse as it was, and the next run finishes the job.

``SPARKIFY_CRASHES`` says how many kills (8; in the long run of the release notes 200), and
``SPARKIFY_CRASH_EVENTS`` how many events the lake has.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import pytest

CRASHES = int(os.environ.get("SPARKIFY_CRASHES", "8"))
EVENTS = int(os.environ.get("SPARKIFY_CRASH_EVENTS", "30000"))
DAY = 86_400_000
Hashes = dict[str, object]
States = tuple[Path, Hashes, Hashes, float]
TABLES = ("staging_events", "staging_songs", "songplays", "users", "songs", "artists", "time")


def event(number: int, ts: int, rng: random.Random) -> dict[str, object]:
    user = rng.randrange(500)
    plays = rng.random() < 0.8
    return {
        "artist": f"Artist {user % 7}" if plays else None,
        "auth": "Logged In",
        "firstName": f"First{user}",
        "gender": "F" if user % 2 else "M",
        "itemInSession": number,
        "lastName": f"Last{user}",
        "length": 100.5 + user % 7 if plays else None,
        "level": rng.choice(["free", "paid"]),
        "location": "Somewhere, CA",
        "method": "PUT",
        "page": "NextSong" if plays else "Home",
        "registration": 1540000000000.0,
        "sessionId": user * 10,
        "song": f"Song {user % 7}" if plays else None,
        "status": 200,
        "ts": ts,
        "userAgent": "agent",
        "userId": str(user),
    }


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of ten days: the first half is loaded before the crash, the second half during it."""
    root = tmp_path_factory.mktemp("lake")
    rng = random.Random(7)
    for half, days in (("old", range(5)), ("new", range(5, 10))):
        (root / half).mkdir()
        for day in days:
            lines = [
                json.dumps(event(n, 1_541_000_000_000 + day * DAY + rng.randrange(DAY), rng))
                for n in range(EVENTS // 10)
            ]
            if day % 3 == 0:
                lines[5] = lines[5][:40]  # one bad line: the careful reader has work too
            (root / half / f"day{day}.json").write_text("\n".join(lines) + "\n")
    (root / "songs").mkdir()
    for n in range(7):
        song = {
            "num_songs": 1,
            "artist_id": f"AR{n}",
            "artist_latitude": None,
            "artist_longitude": None,
            "artist_location": "",
            "artist_name": f"Artist {n}",
            "song_id": f"SO{n}",
            "title": f"Song {n}",
            "duration": 100.5 + n,
            "year": 2000,
        }
        (root / "songs" / f"{n}.json").write_text(json.dumps(song))
    return root


def command(database: Path, lake: Path, half: str) -> list[str]:
    sparkify = [sys.executable, "-m", "sparkify", "etl", "--database", str(database)]
    return [
        *sparkify,
        "--log-data",
        str(lake / half),
        "--song-data",
        str(lake / "songs"),
        "--wait",
        "20",
        "--lenient",
    ]


def hashes(database: Path) -> Hashes:
    with duckdb.connect(str(database), read_only=True) as connection:
        return {
            table: connection.execute(f"SELECT COUNT(*), SUM(hash(t)) FROM {table} AS t").fetchone()
            for table in TABLES
        }


@pytest.fixture(scope="module")
def states(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> States:
    """The warehouse before the run to be killed, its hashes, those after it, and the run's seconds."""
    database = tmp_path_factory.mktemp("before") / "w.duckdb"
    subprocess.run(command(database, lake, "old"), check=True, capture_output=True)
    before = hashes(database)
    finished = database.with_name("finished.duckdb")
    finished.write_bytes(database.read_bytes())
    started = time.monotonic()
    subprocess.run(command(finished, lake, "new"), check=True, capture_output=True)
    return database, before, hashes(finished), time.monotonic() - started


def test_killed_at_any_moment_loses_and_repeats_nothing(
    lake: Path, states: States, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, before, after, seconds = states
    spool = tmp_path / "tmp"
    spool.mkdir()
    monkeypatch.setenv("TMPDIR", str(spool))
    monkeypatch.setattr(tempfile, "tempdir", None)
    rng = random.Random(CRASHES)
    killed = 0
    for number in range(CRASHES):
        victim = tmp_path / f"{number}.duckdb"
        victim.write_bytes(database.read_bytes())
        process = subprocess.Popen(
            command(victim, lake, "new"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(0, seconds * 1.1))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        # As it was, or (killed after the commit) done; never between.
        assert hashes(victim) in (before, after)
        subprocess.run(command(victim, lake, "new"), check=True, capture_output=True)
        assert hashes(victim) == after
        assert list(spool.iterdir()) == [], "the next run leaves no rubbish of the killed one"
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(f"{number}.")] == [
            victim.name
        ]
        victim.unlink()
    assert killed, "no run was killed: they were all faster than the clock"


def test_a_first_run_killed_at_any_moment_leaves_no_warehouse_or_a_whole_one(
    lake: Path, states: States, tmp_path: Path
) -> None:
    """It builds the warehouse under another name; the next run removes what is left of that."""
    _, before, _, seconds = states
    rng = random.Random(CRASHES + 1)
    unfinished = 0
    for number in range(CRASHES):
        victim = tmp_path / str(number) / "w.duckdb"
        victim.parent.mkdir()
        process = subprocess.Popen(
            command(victim, lake, "old"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(0, seconds * 1.1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        unfinished += not victim.exists()
        assert not victim.exists() or hashes(victim) == before
        subprocess.run(command(victim, lake, "old"), check=True, capture_output=True)
        assert hashes(victim) == before
        assert [path.name for path in victim.parent.iterdir()] == [victim.name]
    assert unfinished, "no run was killed before its end"
