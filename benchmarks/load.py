"""Loading: ours beside a hand-written script, song files beside bare reading, and what a start costs."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.lakes import REAL, without_breaks, write_events, write_songs
from benchmarks.timing import SPARKIFY, Usage, compare, run_process

HERE = Path(__file__).parent


def main(events: int = 1_000_000, songs: int = 30_000) -> None:
    """Print every comparison."""
    if not REAL.is_dir():
        print(f"no real data at {REAL}; set SPARKIFY_TEST_DATA to its folder")
        return
    with tempfile.TemporaryDirectory(prefix="sparkify-bench-") as name:
        root = Path(name)
        few = REAL / "song_data"
        logs = write_events(root, events)
        many = write_songs(root, songs)

        def ours(*sources: str | Path, program: Sequence[str | Path] = SPARKIFY) -> Callable[[], Usage]:
            def run() -> Usage:
                (root / "ours.duckdb").unlink(missing_ok=True)
                return run_process([*program, "etl", "--database", root / "ours.duckdb", *sources])

            return run

        def script() -> Usage:
            return run_process([sys.executable, HERE / "hand_written.py", root / "script.duckdb", logs, few])

        def reading() -> Usage:
            return run_process([sys.executable, HERE / "bare_reading.py", many])

        compare(
            f"{events:,} events into the star",
            {"sparkify etl": ours("--log-data", logs, "--song-data", few), "hand-written script": script},
        )
        strictly: list[str | Path] = [sys.executable, HERE / "strict_parsing.py"]
        compare(
            f"{events:,} clean events, with the quarantine and without",
            {
                "sparkify etl": ours("--log-data", logs, "--song-data", few),
                "strict parsing alone": ours("--log-data", logs, "--song-data", few, program=strictly),
            },
        )
        for number, size in enumerate((events // 20, events)):
            part = root / f"part{number}"
            lines, joined = without_breaks(write_events(part, size), part)
            compare(
                f"{size:,} events in one file, without line breaks and with",
                {"without": ours("--log-data", joined), "with": ours("--log-data", lines)},
            )
        compare(
            f"{songs:,} song files into the star",
            {"sparkify etl": ours("--song-data", many), "bare threaded reading": reading},
        )
        compare(
            "The whole small load",
            {"sparkify etl": ours("--log-data", REAL / "log_data", "--song-data", few)},
        )
        compare("A start", {"sparkify --help": lambda: run_process([*SPARKIFY, "--help"])})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
