"""Log lines and song records to make small lakes of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TS = 1541030400000  # 2018-11-01 00:00:00 UTC


def play(**changes: Any) -> dict[str, Any]:
    """Return a NextSong event that matches :func:`song`, but for the changes."""
    return {
        "artist": "Artist",
        "auth": "Logged In",
        "firstName": "Ada",
        "gender": "F",
        "itemInSession": 0,
        "lastName": "Day",
        "length": 200.5,
        "level": "free",
        "location": "London",
        "method": "PUT",
        "page": "NextSong",
        "registration": 1540919166796.0,
        "sessionId": 1,
        "song": "Title",
        "status": 200,
        "ts": TS,
        "userAgent": "Browser",
        "userId": "1",
        **changes,
    }


def song(**changes: Any) -> dict[str, Any]:
    """Return a song record, but for the changes."""
    return {
        "num_songs": 1,
        "artist_id": "AR1",
        "artist_latitude": 51.5,
        "artist_longitude": -0.1,
        "artist_location": "London",
        "artist_name": "Artist",
        "song_id": "SO1",
        "title": "Title",
        "duration": 200.5,
        "year": 1999,
        **changes,
    }


def write_records(path: Path, *records: Mapping[str, Any]) -> Path:
    """Write a file of JSON lines; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path
