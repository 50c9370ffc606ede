"""`sparkify etl` inside the test's own process: what a user types, quicker than a process each."""

from __future__ import annotations

from pathlib import Path

from sparkify.cli.app import run
from tests.warehouses import Place, options_of


def etl(
    place: Place, log_data: Path | str | None = None, song_data: Path | str | None = None, *options: str
) -> int:
    """Return the exit code of `sparkify etl`; no dwh.cfg lying about is read."""
    arguments = ["etl", *options_of(place), *options]
    for option, source in (("--log-data", log_data), ("--song-data", song_data)):
        if source is not None:
            arguments += [option, str(source)]
    return run(arguments)
