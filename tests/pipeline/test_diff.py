"""`sparkify diff`: equal exactly where two warehouses hold the same, however they came to it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sparkify.cli.app import run
from tests.contents import hash_tables
from tests.loading import etl
from tests.records import TS, play, song, write_records
from tests.warehouses import ENGINES, OnRedshift, Place, Warehouses, execute, options_of

NEXT = TS + 86_400_000


def write_lake(lake: Path) -> Path:
    """Values that engines may write in different ways; a record twice, one rejected, a field more."""
    write_records(
        lake / "log_data" / "1.json",
        play(song="Zoë — 音楽 ", length=0.1 + 0.2, level=""),
        play(ts=TS + 1, length=1e-9, registration=-1.5e11, location=None),
        play(ts=TS + 1, length=1e-9, registration=-1.5e11, location=None),
        play(ts=TS + 2, page="Home", userId=""),
    )
    bad = write_records(lake / "log_data" / "2.json", play(ts=NEXT + 7, length=1 / 3) | {"more": [1, "x"]})
    bad.write_text(bad.read_text() + "no JSON\n")
    write_records(lake / "song_data" / "1.json", song(artist_latitude=-33.8674869, title="Zoë — 音楽"))
    write_records(lake / "song_data" / "2.json", song(song_id="SO2", year=0, artist_location=None))
    return lake


def named(place: Place) -> str:
    return str(place.config if isinstance(place, OnRedshift) else place)


def told(capsys: pytest.CaptureFixture[str], a: Place, b: Place, code: int, *options: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["diff", named(a), named(b), "--json", *options]) == code
    found = json.loads(capsys.readouterr().out)
    assert found["equal"] is (code == 0)
    return {each["table"]: each for each in found["tables"]}


def change(place: Place) -> list[str]:
    """Change one thing in most tables; return those that then differ, by the tests' own hashes."""
    before = hash_tables(place)
    for sql in (
        f"UPDATE staging_events SET length = 0.3 WHERE ts = {TS}",  # by the last bit of a double
        "UPDATE songplays SET start_time = '2018-11-02 00:00:00.008' WHERE length BETWEEN 0.31 AND 1",
        "UPDATE users SET first_name = 'Ada ' WHERE user_id = '1'",
        "DELETE FROM songs WHERE song_id = 'SO2'",
        "INSERT INTO artists (artist_id) VALUES ('AR9')",
    ):
        execute(place, sql)
    after = hash_tables(place)
    return sorted(name for name in before if before[name] != after[name])


@pytest.mark.parametrize("engine", ENGINES)
def test_equal_is_what_holds_the_same_and_the_rest_is_named(
    engine: str, warehouses: Warehouses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    lake, other = write_lake(tmp_path / "lake"), write_lake(tmp_path / "elsewhere")
    first = warehouses.new("duckdb", tmp_path / "first")
    second = warehouses.new(engine, tmp_path / "second")
    assert etl(first, lake / "log_data", lake / "song_data", "--max-rejects", "9") == 0
    # From another place, file by file: other URIs, other numbers of files and runs.
    (other / "log_data" / "1.json").rename(tmp_path / "later.json")
    assert etl(second, other / "log_data", None, "--max-rejects", "9") == 0
    (tmp_path / "later.json").rename(other / "log_data" / "9.json")
    assert etl(second, other / "log_data", other / "song_data") == 0
    # What was taken out and loaded again is history.
    assert run(["undo", "1", "--yes", *options_of(second)]) == 0
    assert etl(second, other / "log_data", other / "song_data", "--max-rejects", "9") == 0
    tables = told(capsys, first, second, 0)
    assert all(each["equal"] and each["rows_a"] == each["rows_b"] for each in tables.values())
    assert (tables["etl.rejects"]["rows_a"], tables["staging_events"]["rows_a"]) == (1, 5)

    differing = change(second)
    assert differing == ["artists", "songplays", "songs", "staging_events", "users"]
    tables = told(capsys, first, second, 3)
    assert sorted(name for name, each in tables.items() if not each["equal"]) == differing
    counts = {
        name: tuple(tables[name][part] for part in ("only_a", "only_b", "changed")) for name in differing
    }
    assert counts == {
        "artists": (0, 1, 0),
        "songplays": (0, 0, 1),
        "songs": (1, 0, 0),
        "staging_events": (0, 0, 1),
        "users": (0, 0, 1),
    }
    (user,) = tables["users"]["rows"]
    assert (user["key"], user["columns"]) == ({"user_id": "1"}, ["first_name"])
    assert (user["a"]["first_name"], user["b"]["first_name"]) == ("Ada", "Ada ")
    assert tables["staging_events"]["columns"] == {"length": 1}
    assert tables["songplays"]["columns"] == {"start_time": 1}
    assert tables["staging_events"]["rows"][0]["a"]["source_file"]
    assert "file_id" in tables["staging_events"]["left_out"]


def test_the_same_rows_from_other_files_differ_in_that(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """And rows that stand there more often are counted; --limit shows fewer than there are."""
    places = [tmp_path / "a.duckdb", tmp_path / "b.duckdb"]
    write_records(tmp_path / "a" / "1.json", play(), play(ts=TS + 1))
    write_records(tmp_path / "b" / "1.json", play(), play())
    write_records(tmp_path / "b" / "2.json", play(ts=TS + 1))
    for place, folder in zip(places, ("a", "b"), strict=True):
        assert etl(place, tmp_path / folder) == 0
    tables = told(capsys, places[0], places[1], 3, "--limit", "1")
    events = tables["staging_events"]
    assert (events["only_a"], events["only_b"], events["changed"], events["columns"]) == (
        *(0, 1, 2),
        {"source_file": 2},
    )
    assert len(events["rows"]) == 1
    assert tables["songplays"]["equal"]
    assert run(["diff", *map(str, places)]) == 3
    shown = capsys.readouterr().out
    assert "staging_events          2          3  1 only in B; 2 changed" in shown
    assert "They differ in 3 of 10 tables." in shown


def test_a_column_or_a_table_that_one_lacks_is_a_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    a, b = tmp_path / "a.duckdb", tmp_path / "b.duckdb"
    write_records(tmp_path / "log_data" / "1.json", play())
    for place in (a, b):
        assert etl(place, tmp_path / "log_data") == 0
    execute(b, "ALTER TABLE staging_events ADD COLUMN mood VARCHAR")
    execute(a, "DROP TABLE etl.days")
    tables = told(capsys, a, b, 3)
    assert tables["staging_events"]["columns_only_b"] == ["mood"]
    assert (tables["etl.days"]["rows_a"], tables["etl.days"]["rows_b"]) == (None, 1)
    assert [name for name, each in tables.items() if not each["equal"]] == ["staging_events", "etl.days"]


def test_values_that_are_swapped_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """DuckDB's hash of a row ends in an XOR: where it alone is added up, these swaps keep the sum."""
    a, b = tmp_path / "a.duckdb", tmp_path / "b.duckdb"
    assert run(["create-tables", "--database", str(a)]) == 0
    execute(
        a,
        "INSERT INTO songs SELECT 'SO' || i, 'T', 'AR', 2000, 1.5, "
        "CASE WHEN i % 2 = 0 THEN 'Artist 145' ELSE 'Artist 2531' END FROM range(2000) AS r (i)",
    )
    shutil.copy(a, b)
    other = "CASE artist_name WHEN 'Artist 145' THEN 'Artist 2531' ELSE 'Artist 145' END"
    columns = "song_id, title, artist_id, year, duration"
    change = f"hash({columns}, {other})::HUGEINT - hash({columns}, artist_name)::HUGEINT"
    with duckdb.connect(str(b)) as connection:
        found = connection.execute(
            f"WITH s AS (SELECT song_id, artist_name, {change} AS change FROM songs) "
            "SELECT x.song_id, y.song_id FROM s AS x JOIN s AS y ON x.change = -y.change "
            "WHERE x.artist_name < y.artist_name"
        ).fetchall()
        x, y = found[0]
        connection.execute(f"UPDATE songs SET artist_name = {other} WHERE song_id IN (?, ?)", [x, y])
    songs = told(capsys, a, b, 3)["songs"]
    assert (songs["changed"], songs["columns"]) == (2, {"artist_name": 2})
    assert {row["key"]["song_id"] for row in songs["rows"]} == {x, y}


def test_a_column_of_another_type_is_told_and_the_rest_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    a, b = tmp_path / "a.duckdb", tmp_path / "b.duckdb"
    write_records(tmp_path / "log_data" / "1.json", play(), play(ts=TS + 1))
    write_records(tmp_path / "song_data" / "1.json", song(year=2000, duration=200))
    for place in (a, b):
        assert etl(place, tmp_path / "log_data", tmp_path / "song_data") == 0
    execute(b, "ALTER TABLE songs ALTER duration TYPE BIGINT")
    execute(b, "ALTER TABLE songs ALTER song_id TYPE VARCHAR")  # the same in other words
    songs = told(capsys, a, b, 3)["songs"]
    assert songs["types"] == {"duration": ["DOUBLE", "BIGINT"]}
    assert songs["changed"] == 0
    execute(b, "UPDATE songs SET year = 2001")
    songs = told(capsys, a, b, 3)["songs"]
    assert (songs["changed"], songs["columns"]) == (1, {"year": 1})
    assert run(["diff", str(a), str(b)]) == 3
    assert "duration is DOUBLE in A, BIGINT in B; 1 changed" in " ".join(capsys.readouterr().out.split())
    # Even where it is the key, or every column.
    execute(b, "DROP TABLE artists")
    execute(b, "CREATE TABLE artists (artist_id BIGINT)")
    execute(b, "CREATE OR REPLACE TABLE users AS SELECT 7 AS id, * EXCLUDE (user_id) FROM users")
    tables = told(capsys, a, b, 3)
    assert tables["artists"]["types"] == {"artist_id": ["VARCHAR", "BIGINT"]}
    assert (tables["artists"]["rows_a"], tables["artists"]["rows_b"]) == (1, 0)
    assert tables["users"]["columns_only_a"] == ["user_id"]


def test_what_is_not_told_is_what_the_docs_say(
    warehouses: Warehouses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Between two DuckDB files -0.0 alone; across engines numbers that are huge or near, and microseconds."""
    huge = str(2**62)
    pairs = {  # in A and in B, and where it is told: between DuckDB files, across engines
        "SO1": ("0.0", "-0.0", ""),
        "SO2": ("NaN", "Infinity", "near"),
        "SO3": ("Infinity", huge, "near"),
        "SO4": ("-Infinity", f"-{huge}", "near"),
        "SO5": ("Infinity", "-Infinity", "near, across"),
        "SO6": ("1e-19", "0", "near"),
        "SO7": ("1e-17", "0", "near, across"),
        "SO8": ("NaN", "NaN", ""),
    }
    flags = {
        "SO10": ("TRUE", "FALSE"),
        "SO11": ("NULL", "FALSE"),
        "SO12": ("FALSE", "FALSE"),
        "SO13": ("TRUE", "TRUE"),
    }
    moments = {
        "2018-11-01 00:00:00.001": ("2018-11-01 00:00:00.0014", "near"),
        "2018-11-01 00:00:00.003": ("2018-11-01 00:00:00.004", "near, across"),
    }
    places = (
        warehouses.new("duckdb", tmp_path / "a"),
        warehouses.new("duckdb", tmp_path / "near"),
        warehouses.new("redshift", tmp_path / "across"),
    )
    for place in places:
        side = place is not places[0]
        assert run(["create-tables", *options_of(place)]) == 0
        execute(place, "ALTER TABLE songs ADD COLUMN live BOOLEAN")
        execute(place, "DELETE FROM songs")
        rows = [
            *(f"('{key}', CAST('{pair[side]}' AS DOUBLE PRECISION), NULL)" for key, pair in pairs.items()),
            *(f"('{key}', 1.5, {pair[side]})" for key, pair in flags.items()),
        ]
        execute(
            place,
            "INSERT INTO songs (song_id, title, artist_id, duration, live) "
            f"SELECT k, 'T', 'AR1', d, l FROM (VALUES {', '.join(rows)}) AS v (k, d, l)",
        )
        starts = ", ".join(
            f"({number}, TIMESTAMP '{pair[0] if side else one}', '1', 1, 1)"
            for number, (one, pair) in enumerate(moments.items())
        )
        execute(
            place,
            "INSERT INTO songplays (songplay_id, start_time, user_id, session_id, item_in_session) "
            f"VALUES {starts}",
        )
    for name, other in (("near", places[1]), ("across", places[2])):
        tables = told(capsys, places[0], other, 3, "--limit", "99")
        found = {row["key"]["song_id"] for row in tables["songs"]["rows"]}
        assert found == {key for key, pair in pairs.items() if name in pair[2]} | {"SO10", "SO11"}
        assert tables["songplays"]["changed"] == sum(name in where for _, where in moments.values())


def test_what_is_no_warehouse_is_told_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    there = tmp_path / "a.duckdb"
    assert run(["create-tables", "--database", str(there)]) == 0
    (tmp_path / "x.txt").write_text("no configuration\n")
    (tmp_path / "x.cfg").write_text("[DWH]\nDATABASE = not-there.duckdb\n")
    (tmp_path / "x.duckdb").write_bytes(b"")
    execute(tmp_path / "other.duckdb", "CREATE TABLE users (a INTEGER)")
    for name in ("missing.duckdb", "x.txt", "x.cfg", "x.duckdb", "other.duckdb", "."):
        assert run(["diff", str(there), str(tmp_path / name)]) == 2, name
        assert f"{tmp_path / name} is no warehouse: " in capsys.readouterr().err.replace("/.", "") + "/."
    assert run(["diff", str(there), str(there)]) == 0


def test_the_environment_does_not_say_which_warehouses_are_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_records(tmp_path / "log_data" / "1.json", play())
    full, empty = tmp_path / "full.duckdb", tmp_path / "empty.duckdb"
    assert etl(full, tmp_path / "log_data") == 0
    assert run(["create-tables", "--database", str(empty)]) == 0
    config = tmp_path / "x.cfg"
    config.write_text("[DWH]\nDATABASE = empty.duckdb\n")
    monkeypatch.setenv("SPARKIFY_DWH_DATABASE", str(full))
    assert run(["diff", str(full), str(config)]) == 3
    assert run(["diff", str(empty), str(config)]) == 0


def test_a_newer_warehouse_is_not_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    write_records(tmp_path / "log_data" / "1.json", play())
    place = tmp_path / "w.duckdb"
    assert etl(place, tmp_path / "log_data") == 0
    with duckdb.connect(str(place)) as connection:
        connection.execute("UPDATE etl.meta SET schema_version = 9999")
    assert run(["diff", str(place), str(place)]) == 2
    assert "newer" in " ".join(capsys.readouterr())
