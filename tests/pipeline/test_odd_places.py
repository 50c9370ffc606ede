"""Where a file lies decides nothing about what is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

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
    assert read_tables(tmp_path / "w.duckdb") == expect([play(itemInSession=n) for n in range(3)], [song()])


def test_a_temporary_folder_named_like_a_partition_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "artist_name=x").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "artist_name=x"))
    write_records(tmp_path / "song_data" / "a.json", song())
    assert etl(tmp_path / "w.duckdb", None, tmp_path / "song_data") == 0
    assert read_tables(tmp_path / "w.duckdb") == expect([], [song()])
