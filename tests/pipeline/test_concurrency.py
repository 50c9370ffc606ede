"""Several processes on one warehouse: one works, the others wait or say who holds it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from tests.contents import hash_tables, read_tables
from tests.loading import etl
from tests.oracle import expect
from tests.records import TS, play, song, write_records
from tests.tiers import sweep

SPARKIFY = [sys.executable, "-m", "sparkify"]
OLD = [play(userId=str(n), ts=TS + n) for n in range(20)]
NEW = [play(userId=str(n), ts=TS + 1000 + n, level="paid") for n in range(20_000)]
SONGS = [song()]


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A lake with the old events loaded into ``w.duckdb``, and the new ones ready."""
    write_records(tmp_path / "song_data" / "1.json", *SONGS)
    write_records(tmp_path / "log_data" / "old.json", *OLD)
    assert etl(tmp_path / "w.duckdb", tmp_path / "log_data", tmp_path / "song_data") == 0
    write_records(tmp_path / "log_data" / "new.json", *NEW)
    return tmp_path


def start(command: Sequence[str], lake: Path, *options: str) -> subprocess.Popen[str]:
    """Start a command of ours, or a program that runs one, on the warehouse."""
    return subprocess.Popen(
        [*command, "--json", "--config", os.devnull, "--database", str(lake / "w.duckdb"), *options],
        cwd=lake,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sources(lake: Path) -> list[str]:
    return ["--log-data", str(lake / "log_data"), "--song-data", str(lake / "song_data")]


@pytest.mark.parametrize("first", sweep([False, True], 2), ids=["a warehouse that is there", "none yet"])
def test_runs_at_once_load_everything_once(lake: Path, first: bool):
    """First runs all build a warehouse, and one of them gives it its name; the others begin again on it."""
    if first:
        (lake / "w.duckdb").unlink()
    running = [start([*SPARKIFY, "etl"], lake, *sources(lake), "--wait", "60") for _ in range(3)]
    outputs = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], outputs
    assert read_tables(lake / "w.duckdb") == expect(OLD + NEW, SONGS)
    with duckdb.connect(str(lake / "w.duckdb"), read_only=True) as connection:
        loaded = connection.execute(
            "SELECT parse_filename(uri), COUNT(*) FROM etl.files GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    assert loaded == [("1.json", 1), ("new.json", 1), ("old.json", 1)]
    loads = [len(json.loads(out)["runs"]) for out, _ in outputs]
    assert sorted(loads) == [0, 0, 1]
    assert sorted(path.name for path in lake.iterdir()) == ["log_data", "song_data", "w.duckdb"]


HOLDS = """
import sys
from sparkify.cli.app import run
from sparkify.cli.screen import Progress

def hold(self, *, label=None, **_):
    if label == "checking the data":
        print("holding", file=sys.stderr, flush=True)
        sys.stdin.readline()

Progress.__call__ = hold
sys.exit(run(sys.argv[1:]))
"""


def test_a_run_that_does_not_wait_names_the_one_that_holds_the_warehouse(lake: Path):
    before = hash_tables(lake / "w.duckdb", ledger=True)
    with start([sys.executable, "-c", HOLDS, "etl"], lake, *sources(lake)) as first:
        assert first.stderr
        assert first.stdin
        assert first.stderr.readline() == "holding\n"
        second = start([*SPARKIFY, "etl"], lake, *sources(lake), "--wait", "0")
        out, _ = second.communicate(timeout=60)
        error = json.loads(out)["error"]
        assert (second.returncode, error["kind"]) == (1, "WarehouseLocked")
        assert f"process {first.pid} " in error["message"]
        # A reader that may not wait says who it is; another one waits for it, and says so.
        look = "SELECT COUNT(*) AS plays FROM songplays"
        hasty = start([*SPARKIFY, "query"], lake, look, "--wait", "0")
        out, _ = hasty.communicate(timeout=60)
        assert (hasty.returncode, json.loads(out)["error"]["kind"]) == (1, "WarehouseLocked")
        reader = start([*SPARKIFY, "query"], lake, look)
        assert reader.stderr
        told = reader.stderr.readline()
        assert told.startswith(f"Waiting up to 30 s for process {first.pid} (")
        assert told.endswith(f"), which holds {lake / 'w.duckdb'}.\n")
        first.stdin.write("\n")
        first.stdin.close()
        assert first.wait(60) == 0
        out, err = reader.communicate(timeout=60)
        assert (reader.returncode, err) == (0, f"{lake / 'w.duckdb'} is free: going on.\n")
        assert json.loads(out)["rows"] == [{"plays": len(OLD) + len(NEW)}]
    assert hash_tables(lake / "w.duckdb", ledger=True) != before
    assert read_tables(lake / "w.duckdb") == expect(OLD + NEW, SONGS)


LOOK = """
SELECT
    (SELECT COUNT(*) FROM songplays) AS plays,
    (SELECT COUNT(*) FROM staging_events) AS events,
    (SELECT COUNT(DISTINCT start_time) FROM songplays) - (SELECT COUNT(*) FROM time) AS times_missing,
    (SELECT COUNT(DISTINCT user_id) FROM songplays) - (SELECT COUNT(*) FROM users) AS users_missing,
    (SELECT COUNT(*) FROM users WHERE level = 'paid') AS paid,
    (SELECT MAX(run_id) FROM etl.runs) AS run
"""


def test_readers_see_the_old_warehouse_or_the_new_one_and_never_fail(lake: Path):
    loading = start([*SPARKIFY, "etl"], lake, *sources(lake))
    seen = []
    done = False
    while not done:
        done = loading.poll() is not None  # and once more after the end
        reader = start([*SPARKIFY, "query"], lake, LOOK)
        out, err = reader.communicate(timeout=60)
        assert reader.returncode == 0, err
        (row,) = json.loads(out)["rows"]
        seen.append(tuple(row.values()))
    assert loading.wait() == 0
    old = (len(OLD), len(OLD), 0, 0, 0, 1)
    new = (len(OLD) + len(NEW), len(OLD) + len(NEW), 0, 0, len(NEW), 2)
    assert set(seen) == {old, new}
    assert seen == sorted(seen)
    loading.communicate()
