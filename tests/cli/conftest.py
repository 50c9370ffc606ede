"""A small warehouse for the commands to look at, and the real command in a process of its own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sparkify.cli.app import run

EVENT: dict[str, Any] = {
    "artist": "Des'ree",
    "auth": "Logged In",
    "firstName": "Kaylee",
    "gender": "F",
    "itemInSession": 0,
    "lastName": "Summers",
    "length": 246.30812,
    "level": "free",
    "location": "Phoenix-Mesa-Scottsdale, AZ",
    "method": "PUT",
    "page": "NextSong",
    "registration": 1540344794796.0,
    "sessionId": 139,
    "song": "You Gotta Be",
    "status": 200,
    "ts": 1541106106796,
    "userAgent": "Mozilla/5.0",
    "userId": "8",
}
SONG = {
    "num_songs": 1,
    "artist_id": "AR1",
    "artist_latitude": None,
    "artist_longitude": None,
    "artist_location": 'Zoë, "Ö"',
    "artist_name": "Des'ree",
    "song_id": "SO1",
    "title": "You Gotta Be",
    "duration": 246.30812,
    "year": 1994,
}


def write_lake(root: Path, events: int = 3, **changes: Any) -> Path:
    """Write one song and some events in the layout of the exercise."""
    (root / "song_data").mkdir(parents=True)
    (root / "log_data").mkdir()
    (root / "song_data" / "1.json").write_text(json.dumps(SONG))
    rows = [EVENT | {"itemInSession": n, "ts": EVENT["ts"] + 1000 * n} | changes for n in range(events)]
    (root / "log_data" / "1.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return root


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "sparkify", *arguments]


def environment(**variables: str) -> dict[str, str]:
    # Output that is written at once would hide what happens to a buffer at the end.
    ours = ("SPARKIFY_", "AWS_", "PYTHONUNBUFFERED")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | variables


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def sparkify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command in an empty folder, in this process: a new one takes a second."""
    monkeypatch.chdir(tmp_path)
    for name in set(os.environ) - set(environment()):
        monkeypatch.delenv(name)

    def call(*arguments: str) -> Done:
        capfd.readouterr()
        code = run(arguments)
        return Done(code, *capfd.readouterr())

    return call


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A loaded DuckDB file; tests read it only."""
    root = write_lake(tmp_path_factory.mktemp("cli"))
    path = root / "warehouse.duckdb"
    sources = ["--log-data", f"{root}/log_data", "--song-data", f"{root}/song_data"]
    assert run(["etl", "--database", str(path), *sources]) == 0
    return path
