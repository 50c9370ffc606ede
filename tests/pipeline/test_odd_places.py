"""Where a file lies decides nothing about what is in it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sparkify.pipeline.land import land
from sparkify.warehouse.duckdb.survey import survey_files
from tests.contents import read_tables
from tests.loading import etl
from tests.oracle import expect
from tests.records import play, song, write_records


@pytest.mark.parametrize(
    "folder", ["level=paid", "page=Home", "userId=99", "sessionId=7", "filename=x", "x=1"]
)
def test_a_folder_named_like_a_partition_is_a_folder(folder: str, tmp_path: Path):
    write_records(tmp_path / "log_data" / folder / "a.json", play(), play(itemInSession=1))
    write_records(tmp_path / "log_data" / folder / "surveyed.json", play(itemInSession=2, extra=1))
    write_records(tmp_path / "song_data" / "title=Other" / "a.json", song())
    assert etl(tmp_path / "w.duckdb", tmp_path / "log_data", tmp_path / "song_data") == 0
    events = [play(), play(itemInSession=1), play(itemInSession=2, extra=1)]
    assert read_tables(tmp_path / "w.duckdb") == expect(events, [song()])


def test_a_temporary_folder_named_like_a_partition_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "artist_name=x").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "artist_name=x"))
    write_records(tmp_path / "song_data" / "a.json", song())
    assert etl(tmp_path / "w.duckdb", None, tmp_path / "song_data") == 0
    assert read_tables(tmp_path / "w.duckdb") == expect([], [song()])


@pytest.mark.parametrize(
    ("logs", "songs"), [("lake", "lake"), ("lake", "lake/songs"), ("lake/logs", "lake/")]
)
def test_one_place_for_logs_and_songs_is_refused(logs: str, songs: str, tmp_path: Path):
    write_records(tmp_path / "lake" / "logs" / "a.json", play())
    write_records(tmp_path / "lake" / "songs" / "a.json", song())
    assert etl(tmp_path / "w.duckdb", f"{tmp_path}/{logs}", f"{tmp_path}/{songs}") == 2
    assert not (tmp_path / "w.duckdb").exists()


def test_songs_given_for_logs_are_not_taken_for_loaded(tmp_path: Path):
    write_records(tmp_path / "song_data" / "a.json", song())
    assert etl(tmp_path / "w.duckdb", None, tmp_path / "song_data") == 0
    assert etl(tmp_path / "w.duckdb", tmp_path / "song_data") == 3
    assert read_tables(tmp_path / "w.duckdb") == expect([], [song()])


def test_two_slashes_in_front_are_one(tmp_path: Path):
    write_records(tmp_path / "log_data" / "a.json", play())
    assert etl(tmp_path / "w.duckdb", tmp_path / "log_data") == 0
    assert etl(tmp_path / "w.duckdb", f"/{tmp_path}/log_data") == 0
    assert read_tables(tmp_path / "w.duckdb") == expect([play()], [])


def test_a_name_that_is_not_utf_8_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    log = write_records(tmp_path / "log_data" / "a.json", play())
    os.link(log, os.fsencode(log.parent) + b"/b\xff.json")
    assert etl(tmp_path / "w.duckdb", tmp_path / "log_data") == 1
    assert f"Error: the name of b\\xff.json in {log.parent} is not UTF-8." in capsys.readouterr().err


@pytest.mark.parametrize("much", [-1, 2**60], ids=["much", "little"])
def test_a_log_that_goes_after_the_listing_is_said(
    much: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    log = write_records(tmp_path / "log_data" / "a.json", play())
    monkeypatch.setattr("sparkify.pipeline.land._MUCH_BYTES", much)

    def remove_and_land(*arguments: Any) -> Any:
        log.unlink()
        return land(*arguments)

    monkeypatch.setattr("sparkify.pipeline.land.land", remove_and_land)
    capsys.readouterr()
    assert etl(tmp_path / "w.duckdb", tmp_path / "log_data", None, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["subject"] for each in told["known"]] == [str(log)]
    assert told["tables"]["staging_events"] == 0


def test_keys_are_counted_whatever_the_folder_is_called(tmp_path: Path):
    """A file that cannot be looked at, or whose keys stand twice, has the key None too."""
    log = tmp_path / "json=x" / "a.json"
    log.parent.mkdir()
    log.write_text('{"artist": 1, "extra": 2}\n', encoding="utf-8")
    assert sorted(survey_files([log], ["artist"])) == [(str(log), "artist", 1), (str(log), "extra", 1)]
