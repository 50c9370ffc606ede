"""Rules of the star and of acceptance that a property test would meet too rarely, each by a small example."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.contents import read_tables
from tests.loading import etl
from tests.oracle import expect
from tests.records import TS, play, song, write_records
from tests.tiers import sweep

LENIENT = ("--max-rejects", "100%", "--accept", "1.json", "--lenient")


@pytest.mark.parametrize("songs_come", ["first", "later"])
def test_no_length_stands_for_an_unknown_one(tmp_path: Path, songs_come: str):
    plays = [play(length=None), play(length=-1.0, ts=TS + 1)]
    records = [song(duration=500.0), song(song_id="SO2", duration=5.0)]
    songs = write_records(tmp_path / "song_data" / "1.json", *records)
    logs = write_records(tmp_path / "log_data" / "1.json", *plays)
    if songs_come == "later":
        assert etl(tmp_path / "w.duckdb", logs.parent) == 0
    assert etl(tmp_path / "w.duckdb", logs.parent, songs.parent) == 0
    assert read_tables(tmp_path / "w.duckdb") == expect(plays, records)


@pytest.mark.parametrize(
    ("plays", "songs"),
    [
        ([play()], [song(title=""), song()]),
        ([play(level=""), play(level="paid")], [song()]),
        ([play(), play(ts=TS + 1, level="")], [song(artist_location=""), song(song_id="SO2", year=0)]),
    ],
    ids=["title", "level", "user and place"],
)
def test_an_empty_text_and_none_are_the_same_unknown(
    tmp_path: Path, plays: list[dict[str, Any]], songs: list[dict[str, Any]]
):
    """A lake that writes "" and one that writes null give the same star."""
    stars = []
    for number, unknown in enumerate(("", None)):
        folder = tmp_path / str(number)
        for kind, records in (("log_data", plays), ("song_data", songs)):
            written = [
                {key: unknown if value == "" else value for key, value in record.items()}
                for record in records
            ]
            write_records(folder / kind / "1.json", *written)
        assert etl(folder / "w.duckdb", folder / "log_data", folder / "song_data") == 0
        tables = read_tables(folder / "w.duckdb")
        stars.append({name: rows for name, rows in tables.items() if not name.startswith("staging_")})
    assert stars[0] == stars[1]


@pytest.mark.parametrize(
    ("key", "text"),
    sweep(
        [
            ("itemInSession", "1.0"),
            ("itemInSession", "1.5"),
            ("itemInSession", '"12"'),
            ("itemInSession", '" 12 "'),
            ("itemInSession", '"12.0"'),
            ("itemInSession", "2147483648"),
            ("itemInSession", "true"),
            ("sessionId", "9223372036854775808"),
            ("status", '""'),
            ("length", "true"),
            ("length", '"12.5"'),
            ("length", "1e400"),
            ("userId", "39"),
            ("userId", "39.0"),
            ("userId", "true"),
            ("userId", "123456789012345678901234"),
            ("song", '{"a": 1}'),
            ("song", '"{"'),
            ("song", r'"\ud83d\ude00"'),
            ("song", r'"\ud83d"'),
            ("song", r'"\u0000"'),
            ("song", '"' + "é" * 512 + '"'),
            ("song", '"' + "é" * 513 + '"'),
            ("song", r'"a\":b"'),
            ("ts", "946684799999"),
            ("ts", "4102444800000"),
            ("ts", "1541030400000.0"),
            ("page", '""'),
            ("itemInSession", '"1e2"'),
            ("itemInSession", '"0x10"'),
            ("sessionId", '"1_000"'),
            ("sessionId", "5e-324"),
            ("song", "NaN"),
            ("song", "1e400"),
        ],
        5,
    ),
)
def test_what_becomes_of_a_record_does_not_depend_on_its_neighbours(tmp_path: Path, key: str, text: str):
    """Alone a line is read by the engine, beside a bad one by our own careful reader: with one outcome."""
    line = json.dumps(play(**{key: "@"})).replace('"@"', text) + "\n"
    for name, content in (("alone", line), ("beside", line + "nonsense\n")):
        write_records(tmp_path / name / "0.json", play(ts=TS + 1))
        (tmp_path / name / "1.json").write_text(content)
        assert etl(tmp_path / f"{name}.duckdb", tmp_path / name, None, *LENIENT) == 0
    assert read_tables(tmp_path / "alone.duckdb") == read_tables(tmp_path / "beside.duckdb")
    assert reasons(tmp_path / "alone.duckdb") == reasons(tmp_path / "beside.duckdb")[:-1]


def reasons(database: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute("SELECT line, reason, detail FROM etl.rejects ORDER BY line").fetchall()


def load_text(folder: Path, text: str) -> Mapping[str, int]:
    """Load one log file of that text; return how many rows were staged and how many lines rejected."""
    (folder / "log_data").mkdir()
    (folder / "log_data" / "1.json").write_text(text)
    assert etl(folder / "w.duckdb", folder / "log_data", None, *LENIENT) == 0
    staged = read_tables(folder / "w.duckdb")["staging_events"].total()
    return {"staged": staged, "rejected": len(reasons(folder / "w.duckdb"))}


def test_letters_in_a_number_are_a_reject(tmp_path: Path):
    text = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in (play(), play(length="é" * 30)))
    assert load_text(tmp_path, text) == {"staged": 1, "rejected": 1}


@pytest.mark.parametrize(
    ("text", "staged"),
    [
        ("[{0}]\n{1}\n", {2, 1}),
        ("[{0}][{1}]\n", {2, 1}),
        ("[{0},\n", {1}),
    ],
    ids=["a record behind", "two arrays", "cut short"],
)
def test_nothing_of_an_array_file_is_passed_over(tmp_path: Path, text: str, staged: set[int]):
    """Each record is loaded or a reject tells of it; an array that is cut short tells of its end."""
    records = [json.dumps(play()), json.dumps(play(ts=TS + 1))]
    found = load_text(tmp_path, text.replace("{0}", records[0]).replace("{1}", records[1]))
    assert found["staged"] in staged
    assert found["staged"] + found["rejected"] == 2
