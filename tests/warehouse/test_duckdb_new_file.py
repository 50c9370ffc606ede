"""A warehouse built under another name: only what was accepted is published, only ours is removed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sparkify.cli.app import run
from sparkify.pipeline.land import land
from sparkify.records import EVENTS
from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine
from sparkify.warehouse.duckdb.new_file import NewFile, remove_leftovers
from sparkify.warehouse.engine import RecordFile
from sparkify.warehouse.tables import create_tables
from tests.contents import read_tables
from tests.loading import etl
from tests.oracle import expect
from tests.records import TS, play, song, write_records


def refused_first_run(folder: Path) -> None:
    """A first run in which one record of six is bad, and none may be."""
    write_records(folder / "log_data" / "bad.json", *(play(ts=TS + n, song="Refused") for n in range(5)))
    with (folder / "log_data" / "bad.json").open("a") as file:
        file.write("no JSON\n")
    write_records(folder / "song_data" / "1.json", song())
    assert etl(folder / "w.duckdb", folder / "log_data", folder / "song_data", "--max-rejects", "0") == 3
    assert read_tables(folder / "w.duckdb") == expect([], [])


def test_nothing_of_a_refused_first_run_is_published(tmp_path: Path):
    refused_first_run(tmp_path)
    (tmp_path / "log_data" / "bad.json").unlink()
    good = [play(ts=TS + n) for n in range(5)]
    write_records(tmp_path / "log_data" / "good.json", *good)
    assert etl(tmp_path / "w.duckdb", tmp_path / "log_data", tmp_path / "song_data") == 0
    assert read_tables(tmp_path / "w.duckdb") == expect(good, [song()])


def test_a_refused_first_run_is_done_again_when_more_is_allowed(tmp_path: Path):
    refused_first_run(tmp_path)
    again = etl(tmp_path / "w.duckdb", tmp_path / "log_data", tmp_path / "song_data", "--max-rejects", "1")
    assert again == 0
    plays = [play(ts=TS + n, song="Refused") for n in range(5)]
    assert read_tables(tmp_path / "w.duckdb") == expect(plays, [song()])


def test_rows_that_landed_and_were_not_accepted_are_not_published(tmp_path: Path):
    """As when the warehouse has vanished since the plan, and publishing finds another latest run."""
    log = write_records(tmp_path / "1.json", play())
    engine = DuckDBEngine(tmp_path / "w.duckdb")
    engine.prepare()
    engine.land(EVENTS, [RecordFile(log, 1)])
    with engine.writing():
        create_tables(engine, set())
    engine.close()
    assert read_tables(tmp_path / "w.duckdb") == expect([], [])
    with duckdb.connect(str(tmp_path / "w.duckdb"), read_only=True) as connection:
        tables = connection.execute("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'run%'")
        assert tables.fetchall() == [("runs",)]


def test_nothing_is_left_of_a_new_warehouse_that_is_given_up(tmp_path: Path):
    engine = DuckDBEngine(tmp_path / "w.duckdb")
    engine.prepare()
    assert len(list(tmp_path.iterdir())) > 0
    engine.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        *("w.duckdb.new-2999999.bak", "w.duckdb.new-20260101", ".w.duckdb.sparkify-new-"),
        *(".w.duckdb.sparkify-new-0123456789abcdef.bak", ".w.duckdb.sparkify-new-0123456789ABCDEF"),
        ".other.sparkify-new-0123456789abcdef",
    ],
)
def test_what_is_not_ours_is_never_removed(tmp_path: Path, name: str):
    (tmp_path / name).write_text("a backup")
    (tmp_path / ".w.duckdb.sparkify-new-fedcba9876543210").mkdir()
    remove_leftovers(tmp_path / "w.duckdb")
    assert (tmp_path / name).read_text() == "a backup"
    assert len(list(tmp_path.iterdir())) == 2


def test_what_another_process_is_building_is_left_to_it(tmp_path: Path):
    """By its lock, since its number means nothing in another container or on another machine."""
    building = NewFile(tmp_path / "w.duckdb").path
    program = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program, str(building)]
    sweep = f"from pathlib import Path; from sparkify.warehouse.duckdb.new_file import remove_leftovers; remove_leftovers(Path({str(tmp_path / 'w.duckdb')!r}))"  # noqa: E501
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == "\n"
        subprocess.run([sys.executable, "-c", sweep], check=True)
        assert building.exists()
        holder.kill()
    subprocess.run([sys.executable, "-c", sweep], check=True)
    assert list(tmp_path.iterdir()) == []


def test_rows_that_no_loaded_file_owns_fail_a_check(tmp_path: Path):
    write_records(tmp_path / "log_data" / "1.json", play())
    assert etl(tmp_path / "w.duckdb", tmp_path / "log_data") == 0
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        orphan = "SELECT * REPLACE (7 AS file_id, 'Home' AS page) FROM staging_events"
        connection.execute(f"INSERT INTO staging_events BY NAME ({orphan})")
    from sparkify.cli.app import run

    assert run(["check", "--config", "/dev/null", "--database", str(tmp_path / "w.duckdb")]) == 3


def test_a_finished_warehouse_is_no_leftover_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_records(tmp_path / "log_data" / "a.json", play())
    publish = NewFile.publish

    def meanwhile(self: NewFile) -> None:
        look = "import sys, pathlib; from sparkify.warehouse.duckdb.new_file import remove_leftovers as r; "
        look += "r(pathlib.Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", look, str(tmp_path / "w.duckdb")], check=True)
        publish(self)

    monkeypatch.setattr(NewFile, "publish", meanwhile)
    assert etl(tmp_path / "w.duckdb", tmp_path / "log_data") == 0
    assert read_tables(tmp_path / "w.duckdb") == expect([play()], [])
    assert not list(tmp_path.glob(".*"))


def test_a_warehouse_that_is_removed_while_a_run_lands_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Its events have landed outside of the file that is begun for them."""
    write_records(tmp_path / "log_data" / "a.json", play())
    place = tmp_path / "w.duckdb"
    assert run(["create-tables", "--config", os.devnull, "--database", str(place)]) == 0

    def land_and_remove(*arguments: Any) -> Any:
        landing = land(*arguments)
        place.unlink()
        return landing

    monkeypatch.setattr("sparkify.pipeline.land.land", land_and_remove)
    assert etl(place, tmp_path / "log_data") == 0
    assert read_tables(place) == expect([play()], [])
