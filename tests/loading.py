"""`sparkify etl` inside the test's own process: what a user types, quicker than a process each."""

from __future__ import annotations

import os
from pathlib import Path

from sparkify.cli.app import run


def etl(
    database: Path, log_data: Path | str | None = None, song_data: Path | str | None = None, *options: str
) -> int:
    """Return the exit code of `sparkify etl`; no dwh.cfg lying about is read."""
    arguments = ["etl", "--config", os.devnull, "--database", str(database), *options]
    for option, place in (("--log-data", log_data), ("--song-data", song_data)):
        if place is not None:
            arguments += [option, str(place)]
    return run(arguments)
