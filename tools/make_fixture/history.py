"""What happens to the warehouse of a fixture: the files that come, change and go, and the commands run."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import zstandard

from tests.old_warehouses import plan_below
from tests.records import play, song

_NOON = 1542715200000  # 2018-11-20 12:00:00 UTC
_MINUTE = 60_000
_DAY = 24 * 60 * _MINUTE
# When the first file comes; whole seconds, which every archive keeps exactly.
_FIRST_ARRIVAL = 1543622400
_SIMULATION = ("--users", "40", "--songs", "60", "--days", "9", "--seed", "7", "--dirty")

# Two artists under three names each, and two recordings of one title: matching must choose.
_ADA = {"artist_id": "ARHAND1ADA0000001", "artist_location": "London, England"}
_BO = {"artist_id": "ARHAND2BO00000001", "artist_latitude": None, "artist_longitude": None}
SONGS = [
    song(**_ADA, song_id="SOHAND0000000001", title="Engine", artist_name="Ada", duration=181.5),
    song(**_ADA, song_id="SOHAND0000000002", title="Loom", artist_name="Ada feat. Bo", duration=202.25),
    song(**_ADA, song_id="SOHAND0000000003", title="Notes", artist_name="Ada feat. Bo", year=0),
    song(**_ADA, song_id="SOHAND0000000004", title="Engine", artist_name="Ada", duration=240.125),
    song(**_BO, song_id="SOHAND0000000005", title="Köln", artist_name="Bo", artist_location=""),
    song(**_BO, song_id="SOHAND0000000006", title="Köln", artist_name="Bö", artist_location="Bonn"),
]


def _event(minute: int, *, day: int = 0, **changes: Any) -> dict[str, Any]:
    return play(
        **{
            "ts": _NOON + day * _DAY + minute * _MINUTE,
            "sessionId": 900 + day,
            "itemInSession": minute,
            "userId": "26",
            "song": "Engine",
            "artist": "Ada",
            "length": 181.5,
            **changes,
        }
    )


# 2018-11-20: a field without a column, every way to match a song, one user as a text and as a number.
DAY_20 = [
    _event(0, queueId="q-1"),
    _event(1, queueId="q-2", length=240.0, level="paid"),
    _event(2, queueId="q-2", song="Loom", artist="Ada feat. Bo", length=202.25, level="paid"),
    _event(3, song="Loom", artist="Ada", length=202.25, level="paid"),
    _event(4, song="Köln", artist="Bö", length=200.5, userId=26, level="paid"),
    _event(5, song="Nobody knows it", artist="Nobody", length=None, level="paid"),
    _event(6, page="Home", song=None, artist=None, length=None, userId="", firstName=None, lastName=None),
    _event(7, userId="27", firstName="Bo", level="paid", sessionId=900),
]
_TWICE = [DAY_20[0], DAY_20[2]]  # delivered again, in the same file and in another
# 2018-11-21: fields that may be absent are absent from every record; the user of the day before pays no more.
_OPTIONAL = ("userAgent", "location", "registration", "gender")
DAY_21 = [
    {name: value for name, value in event.items() if name not in _OPTIONAL}
    for event in [*(_event(n, day=1, level="free") for n in range(4)), _event(4, day=1, page="Logout")]
]
DAY_22 = [_event(n, day=2, userId=str(30 + n % 3)) for n in range(30)]
DAY_23 = [_event(n, day=3, userId="40", firstName="Gone", song="Notes", length=200.5) for n in range(3)]


def lines(*records: Mapping[str, Any]) -> bytes:
    """Return records as JSON lines."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


class History:
    """A warehouse and its lake under way.

    Args:
        source: The ``src`` folder of the code that builds.
        folder: Where warehouse and lake are made; the ledger knows the files by it.

    Attributes:
        commands: Every command run, with its exit code and what it is there for.
    """

    def __init__(self, source: Path, folder: Path) -> None:
        self._source = source
        self._folder = folder
        self.lake = folder / "lake"
        self.warehouse = folder / "warehouse.duckdb"
        self.commands: list[dict[str, Any]] = []
        self._arrivals = 0
        self._simulated: dict[str, bytes] = {}

    def make(self) -> None:
        """Let all of it happen."""
        self._simulate()
        songs = [name for name in self._simulated if name.startswith("song_data")]

        self._simulated_days("03", "05")
        self._etl("the first logs, before any song", songs=False)

        for name in songs:
            self._put(name, self._simulated[name])
        self._put("song_data/H/A/N/TRHAND1.json", lines(*SONGS[:3]))
        self._put("song_data/H/A/N/TRHAND2.json", json.dumps(SONGS[3], indent=2).encode())
        self._put("song_data/H/A/N/TRHAND3.json", json.dumps(SONGS[4:]).encode())
        self._put("song_data/H/A/N/TRHAND3-COPY.json", lines(SONGS[4]))
        self._simulated_days("02", "01")
        self._etl("songs after logs, earlier days after later ones, rejects within the threshold")

        self._put(self._day("04") + ".gz", gzip.compress(self._simulated[self._day("04")], mtime=0))
        zstd = zstandard.ZstdCompressor().compress(self._simulated[self._day("06")])
        self._put(self._day("06") + ".zst", zstd)
        self._put(self._day("20"), lines(*DAY_20, *_TWICE))
        self._etl("gzip and zstd, a field without a column, records twice in a file")
        undone = self._latest_run()

        bad = b'{"page": "NextSong", "ts": 15428\n' + lines({**DAY_22[0], "itemInSession": "first"})
        self._put(self._day("22"), lines(*DAY_22[:15]) + bad + lines(*DAY_22[15:]))
        self._etl("too many rejects: nothing is published", "--max-rejects", "0", exit_code=3)

        self._put(self._day("21"), lines(*DAY_21, *_TWICE))
        self._etl("what failed is loaded, with a file without optional fields and records known already")

        self._put(self._day("23"), lines(*DAY_23))
        self._simulated_days("07")
        self._etl("an ordinary day")

        changed = self._simulated[self._day("02")].splitlines(keepends=True)
        self._put(self._day("02"), b"".join([*changed[:2], lines(DAY_20[1]), *changed[3:]]))
        self._put("song_data/H/A/N/TRHAND1.json", lines(SONGS[0], {**SONGS[1], "title": "Loom II"}))
        self._put(self._day("01"), self._simulated[self._day("01")])
        self._etl("a log file and a song file changed, another was only touched")

        self._run("undo", str(undone), "--yes", why="the run of the compressed files is undone")
        self._etl("and its files are loaded again")

        in_and_out = str(self.lake / (self._day("06") + ".zst"))
        self._run("retract", in_and_out, "--yes", why="a file is retracted")
        self._etl("and stays out")
        self._run("retract", "--back", in_and_out, why="it is let in again")
        self._etl("and loaded")

        (self.lake / self._day("23")).unlink()
        for name in self._simulated:
            if name.startswith("log_data/2018/11/2018-11-08"):
                self._put(name, self._simulated[name])
        self._etl("a file is gone from the lake, its rows stay; pretty-printed and empty files")

        self._etl("the star is computed anew", "--full-refresh")
        self._run("rejects", "replay", *self._sources(), why="the files with rejects are read again")

        retracted = str(self.lake / (self._day("04") + ".gz"))
        self._run("retract", retracted, "--yes", why="a file is retracted for good")
        again = gzip.compress(self._simulated[self._day("03")], mtime=0)
        self._put("log_data/redelivered/2018-11-03-events.json.gz", again)
        self._simulated_days("09")
        self._etl("the last day, and a day delivered a second time under another name")

    def plan(self) -> dict[str, Any]:
        """Return what the next run would find to do, with URIs below the lake."""
        done = self._sparkify("etl", "--plan", "--json", *self._sources(), exit_code=0)
        return plan_below(json.loads(done)["plan"], str(self.lake))

    def _sources(self, *, songs: bool = True) -> list[str]:
        logs = ["--log-data", str(self.lake / "log_data")]
        return [*logs, "--song-data", str(self.lake / "song_data")] if songs else logs

    def _etl(self, why: str, *options: str, songs: bool = True, exit_code: int = 0) -> None:
        threshold = [] if "--max-rejects" in options else ["--max-rejects", "20%"]
        self._run("etl", *self._sources(songs=songs), *threshold, *options, why=why, exit_code=exit_code)

    def _run(self, *arguments: str, why: str, exit_code: int = 0) -> None:
        self._sparkify(*arguments, exit_code=exit_code)
        command = " ".join(arguments).replace(f"{self._folder}/", "")
        self.commands.append({"command": f"sparkify {command}", "exit_code": exit_code, "why": why})

    def _sparkify(self, *arguments: str, exit_code: int) -> str:
        where = ["--config", os.devnull, "--database", str(self.warehouse)]
        return run_sparkify(self._source, *arguments, *where, exit_code=exit_code)

    def _latest_run(self) -> int:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            ((number,),) = connection.execute("SELECT MAX(run_id) FROM etl.runs").fetchall()
        return int(number)

    def _simulate(self) -> None:
        place = self._folder / "simulated"
        run_sparkify(self._source, "simulate", str(place), *_SIMULATION, exit_code=0)
        for kind in ("song_data", "log_data"):
            for path in sorted((place / kind).rglob("*")):
                if path.is_file():
                    self._simulated[path.relative_to(place).as_posix()] = path.read_bytes()

    @staticmethod
    def _day(day: str) -> str:
        return f"log_data/2018/11/2018-11-{day}-events.json"

    def _simulated_days(self, *days: str) -> None:
        for day in days:
            self._put(self._day(day), self._simulated[self._day(day)])

    def _put(self, name: str, data: bytes) -> None:
        path = self.lake / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        moment = _FIRST_ARRIVAL + self._arrivals
        os.utime(path, (moment, moment))
        self._arrivals += 1


def run_sparkify(source: Path, *arguments: str, exit_code: int, **environment: str) -> str:
    """Run a command of the code in ``source`` and return its output; any other exit code is an error."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPARKIFY_", "AWS_"))}
    done = subprocess.run(
        [sys.executable, "-m", "sparkify", *arguments],
        env={**kept, **environment, "PYTHONPATH": str(source)},
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != exit_code:
        raise SystemExit(
            f"sparkify {' '.join(arguments)} exits {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout
