"""The benchmark compares what is equal: the script fills our tables, and a table that differs is found."""

from __future__ import annotations

import shutil
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from benchmarks import hand_written, strict_parsing
from benchmarks.lakes import log_of, simulate_day, simulate_lake
from benchmarks.same_tables import DifferentTablesError, check_same
from benchmarks.timing import SPARKIFY, run_process


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Our warehouse and the script's, of a lake and then of a day more."""
    root = tmp_path_factory.mktemp("bench")
    lake, ours, script = root / "lake", root / "ours.duckdb", root / "script.duckdb"
    logs, songs = lake / "log_data", lake / "song_data"
    simulate_lake(lake, 3_000, 60, date(2018, 11, 1), 3)
    load: list[str | Path] = [*SPARKIFY, "etl", "--lenient", "--database", ours]
    load += ["--log-data", logs, "--song-data", songs]
    run_process(load)
    hand_written.load(str(script), str(logs), str(songs))
    check_same(ours, "script", script)
    day, alone = date(2018, 11, 4), root / "day"
    alone.mkdir()
    data = simulate_day(root / "next", day, songs)
    for path in (lake / log_of(day), alone / "events.json"):
        path.write_bytes(data)
    run_process(load)
    hand_written.add_day(str(script), str(alone))
    return ours, script


def test_the_script_fills_the_same_tables(filled: tuple[Path, Path]) -> None:
    check_same(filled[0], "script", filled[1])


def test_strict_parsing_alone_fills_the_same_tables(filled: tuple[Path, Path], tmp_path: Path) -> None:
    """It leaves parts of ours out by their names, which may change."""
    ours, _ = filled
    program: list[str | Path] = [sys.executable, Path(strict_parsing.__file__), "etl", "--lenient"]
    lake = ours.parent / "lake"
    program += ["--log-data", lake / "log_data", "--song-data", lake / "song_data"]
    run_process([*program, "--database", tmp_path / "strict.duckdb"])
    check_same(ours, "strict parsing alone", tmp_path / "strict.duckdb")


SWAP = """UPDATE artists SET name = CASE name WHEN a THEN b ELSE a END
    FROM (SELECT MIN(name) AS a, MAX(name) AS b FROM artists) AS x WHERE name IN (a, b)"""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM songplays WHERE songplay_id = (SELECT MIN(songplay_id) FROM songplays)", "plays has"),
        ("INSERT INTO time FROM time LIMIT 1", "time has"),
        ("UPDATE users SET level = 'none' WHERE user_id = (SELECT MIN(user_id) FROM users)", "values: level"),
        ("UPDATE songs SET year = NULL WHERE year = (SELECT MAX(year) FROM songs)", "values: year"),
        ("ALTER TABLE staging_events DROP user_agent", "no column user_agent"),
        pytest.param(SWAP, "in rows", id="two names exchanged"),
    ],
)
def test_a_table_that_differs_is_found(
    filled: tuple[Path, Path], tmp_path: Path, change: str, said: str
) -> None:
    changed = tmp_path / "changed.duckdb"
    shutil.copy(filled[1], changed)
    with duckdb.connect(str(changed)) as connection:
        connection.execute(change)
    with pytest.raises(DifferentTablesError, match=said):
        check_same(filled[0], "script", changed)
