"""Loading: what the quarantine and files without line breaks cost, song files beside bare reading, a start."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.lakes import REAL, without_breaks, write_events, write_songs
from benchmarks.timing import ROUNDS, SPARKIFY, Comparison, Usage, compare, run_process

HERE = Path(__file__).parent


def measure(events: int = 1_000_000, songs: int = 30_000, rounds: int = ROUNDS) -> Iterator[Comparison]:
    """Print and yield every comparison."""
    if not REAL.is_dir():
        print("the real month is not there: SPARKIFY_TEST_DATA says where it is; loads of it are left out")
        return
    with tempfile.TemporaryDirectory(prefix="sparkify-bench-") as name:
        root = Path(name)
        few = REAL / "song_data"
        logs = write_events(root, events)
        many = write_songs(root, songs)

        def ours(*sources: str | Path, program: Sequence[str | Path] = SPARKIFY) -> Callable[[], Usage]:
            def run() -> Usage:
                (root / "ours.duckdb").unlink(missing_ok=True)
                return run_process(
                    [*program, "etl", "--lenient", "--database", root / "ours.duckdb", *sources]
                )

            return run

        def reading() -> Usage:
            return run_process([sys.executable, HERE / "bare_reading.py", many])

        strictly: list[str | Path] = [sys.executable, HERE / "strict_parsing.py"]
        yield compare(
            f"{events:,} clean events, with the quarantine and without",
            {
                "sparkify etl": ours("--log-data", logs, "--song-data", few),
                "strict parsing alone": ours("--log-data", logs, "--song-data", few, program=strictly),
            },
            rounds,
        )
        for number, size in enumerate((events // 20, events)):
            part = root / f"part{number}"
            lines, joined = without_breaks(write_events(part, size), part)
            yield compare(
                f"{size:,} events in one file, without line breaks and with",
                {"without": ours("--log-data", joined), "with": ours("--log-data", lines)},
                rounds,
            )
        yield compare(
            f"{songs:,} song files into the star",
            {"sparkify etl": ours("--song-data", many), "bare threaded reading": reading},
            rounds,
        )
        yield compare(
            "The whole small load",
            {"sparkify etl": ours("--log-data", REAL / "log_data", "--song-data", few)},
            rounds,
        )
        yield compare("A start", {"sparkify --help": lambda: run_process([*SPARKIFY, "--help"])}, rounds)


if __name__ == "__main__":
    list(measure(*map(int, sys.argv[1:])))
