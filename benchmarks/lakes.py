"""Lakes to load: simulated ones, the real month many times over, thirty thousand one-object song files."""

from __future__ import annotations

import json
import os
import random
import re
from datetime import date
from pathlib import Path

from benchmarks.timing import SPARKIFY, run_process

REAL = Path(os.environ.get("SPARKIFY_TEST_DATA", Path(__file__).parents[2] / "shared" / "data" / "small"))

# Events of a day that is new to a warehouse.
DAY = 7_200


def log_of(day: date) -> Path:
    """Return where in a lake the log of a day is."""
    return Path(f"log_data/{day:%Y/%m}/{day}-events.json")


def simulate_lake(lake: Path, events: int, songs: int, start: date, days: int) -> None:
    """Simulate about ``events`` clean events of ``days`` days and a catalogue of ``songs``."""
    sizes = ["--events", str(events), "--songs", str(songs), "--start", str(start), "--days", str(days)]
    run_process([*SPARKIFY, "simulate", lake, *sizes])


def simulate_day(folder: Path, day: date, catalogue: Path) -> bytes:
    """Return the log of one day of exactly ``DAY`` events of a catalogue; ``folder`` is for the simulation."""
    sizes = ["--events", str(DAY * 3 // 2), "--start", str(day), "--days", "1"]
    run_process([*SPARKIFY, "simulate", folder, *sizes, "--song-data", catalogue])
    lines = (folder / log_of(day)).read_bytes().splitlines(keepends=True)
    assert len(lines) >= DAY, f"the simulated day has {len(lines)} events only"
    return b"".join(lines[:DAY])


def write_events(root: Path, events: int) -> Path:
    """Write about ``events`` log lines: the real ones, again and again, with other users and sessions."""
    logs = sorted((REAL / "log_data").rglob("*.json"))
    lines = {log: log.read_text().splitlines() for log in logs}
    times = round(events / sum(map(len, lines.values())))
    folder = root / "log_data"
    for log, real in lines.items():
        path = folder / log.relative_to(REAL / "log_data")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            for number in range(times):
                shift = _Shift(number)
                file.writelines(shift(line) + "\n" for line in real)
    return folder


def without_breaks(logs: Path, root: Path) -> tuple[Path, Path]:
    """Write all events into one file, once a line each and once without any line break; return the folders."""
    folders = root / "one_file", root / "without_breaks"
    for folder in folders:
        folder.mkdir()
    with (folders[0] / "all.json").open("wb") as lines, (folders[1] / "all.json").open("wb") as joined:
        for log in sorted(logs.rglob("*.json")):
            data = log.read_bytes()
            lines.write(data)
            joined.write(data.replace(b"\n", b""))
    return folders


class _Shift:
    def __init__(self, number: int) -> None:
        self._session, self._user = number * 10_000, number * 1_000

    def __call__(self, line: str) -> str:
        line = re.sub(r'"sessionId":(\d+)', lambda m: f'"sessionId":{int(m[1]) + self._session}', line)
        return re.sub(r'"userId":"(\d+)"', lambda m: f'"userId":"{int(m[1]) + self._user}"', line)


def write_songs(root: Path, songs: int) -> Path:
    """Write ``songs`` files of one object each, in the catalogue's own layout."""
    real = [json.loads(path.read_text()) for path in sorted((REAL / "song_data").rglob("*.json"))]
    rng = random.Random(1)
    folder = root / "song_data"
    for number in range(songs):
        song = dict(rng.choice(real))
        song |= {"song_id": f"SO{number:016X}", "artist_id": f"AR{number // 3:016X}"}
        song["title"] += f" {number}"
        letters = rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=3)
        path = folder.joinpath(*letters, f"TR{''.join(letters)}{number:012X}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(song))
    return folder
