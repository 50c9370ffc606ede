"""`etl --plan --sql` prints what `etl` then sends, statement by statement, and asks and changes nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sparkify.cli.app import run
from tests.conftest import S3Server
from tests.contents import hash_rows, hash_tables
from tests.loading import etl
from tests.records import TS, play, song, write_records
from tests.tiers import sweep
from tests.warehouses import ENGINES, OnRedshift, Warehouses, exists


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    write_records(tmp_path / "song_data" / "1.json", song())
    write_records(tmp_path / "song_data" / "2.json", song(song_id="SO2"))
    write_records(tmp_path / "log_data" / "1.json", play(), play(ts=TS + 1, page="Home"))
    write_records(tmp_path / "log_data" / "2.json", play(ts=TS + 2))
    return tmp_path


def bare(sql: str) -> str:
    """Return a statement without what only the files and the moment tell: numbers, times, names by chance."""
    text = re.sub(r"sparkify-runs/[0-9TZ]+-[0-9a-f]{8}/", "RUN/", sql)
    return re.sub(r"-?[0-9]+", "0", text)


def rehearsed(place: OnRedshift, lake: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    capsys.readouterr()
    assert etl(place, lake / "log_data", lake / "song_data", "--plan", "--sql", "--json", *options) == 0
    return [bare(sql) for sql in json.loads(capsys.readouterr().out)["statements"]]


@pytest.mark.parametrize("options", sweep([[], ["--full-refresh"], ["--batch-bytes", "1"]], 3))
def test_what_is_printed_is_what_is_sent(
    warehouses: Warehouses, lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
):
    place = warehouses.new("redshift", tmp_path / "place")
    assert isinstance(place, OnRedshift)
    for more in ("first", "again"):
        write_records(lake / "log_data" / f"{more}.json", play(ts=TS + 9))
        write_records(lake / "song_data" / f"{more}.json", song(song_id="SO9"))
        write_records(lake / "log_data" / "2.json", *[play(ts=TS + 2)] * len(more))  # a new version
        printed = rehearsed(place, lake, capsys, *options)
        place.server.statements.clear()
        assert etl(place, lake / "log_data", lake / "song_data", *options) == 0
        assert [bare(entry.sql) for entry in place.server.statements] == printed


def test_what_is_printed_without_staging_is_what_is_sent_but_for_the_values(
    warehouses: Warehouses, lake: Path, tmp_path: Path, s3: S3Server, capsys: pytest.CaptureFixture[str]
):
    place = warehouses.new("redshift", tmp_path / "place", staging=False)
    assert isinstance(place, OnRedshift)
    bucket = s3.root / "rehearsed"
    bucket.mkdir()
    for folder in ("log_data", "song_data"):
        for path in (lake / folder).iterdir():
            (bucket / folder).mkdir(exist_ok=True)
            (bucket / folder / path.name).write_bytes(path.read_bytes())
    sources = ("s3://rehearsed/log_data", "s3://rehearsed/song_data")
    capsys.readouterr()
    assert etl(place, *sources, "--plan", "--sql", "--json") == 0
    printed = [bare(sql) for sql in json.loads(capsys.readouterr().out)["statements"]]
    place.server.statements.clear()
    assert etl(place, *sources) == 0
    sent = [bare(entry.sql) for entry in place.server.statements]
    literals = [number for number, sql in enumerate(sent) if sql.startswith("INSERT INTO run_song_copy")]
    assert len(literals) == 1
    for number in literals:
        sent[number], printed[number] = (
            sql.partition("VALUES")[0] for sql in (sent[number], printed[number])
        )
    assert sent == printed


def run_printed(
    database: Path, sources: tuple[Path, Path], capsys: pytest.CaptureFixture[str], *options: str
) -> list[tuple[Any, ...]]:
    """Have a real DuckDB run on a copy what is printed; return what its last query gave."""
    capsys.readouterr()
    assert etl(database, *sources, "--plan", "--sql", *options) == 0
    script = capsys.readouterr().out
    assert not re.search(r"\$[a-z]", script)
    assert max(map(len, script.splitlines())) < 400
    copy = database.with_name("copy.duckdb")
    copy.unlink(missing_ok=True)
    if database.exists():
        shutil.copy(database, copy)
    with duckdb.connect(str(copy)) as connection:
        return connection.execute(script).fetchall()


def in_ledger(place: Path) -> dict[str, str]:
    """Return hashes of all tables, the ledger's without the times of runs."""
    hashes = hash_tables(place, file_ids=True, ledger=True)
    hashes["etl.runs"] = hash_rows(place, "SELECT * EXCLUDE (started_at, finished_at) FROM etl.runs")
    return hashes


@pytest.mark.parametrize("options", sweep([[], ["--full-refresh"], ["--batch-bytes", "1"]], 3))
def test_what_is_printed_for_duckdb_can_be_run_and_gives_the_same(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
):
    """New files, changed ones, songs alone, a file that has no events any more, nothing at all."""
    database, copy = tmp_path / "w.duckdb", tmp_path / "copy.duckdb"
    sources = (lake / "log_data", lake / "song_data")
    log, songs = lake / "log_data", lake / "song_data"
    (songs / "printed.json").write_text(json.dumps(song(song_id="SO7", title="It's a title"), indent=1))
    write_records(log / "it's 5 $.json", play(ts=TS + 5, song="It's a title", level="paid", length=None))
    for number, name in enumerate(("p*.json", "pq.json", "[p].json", "p.json", "p?.json")):
        write_records(log / name, play(ts=TS + 100 + number))
    steps: list[Callable[[], object]] = [
        lambda: None,
        lambda: write_records(log / "2.json", play(ts=TS + 2, userId="2"), play(ts=TS + 9**9, userId="2")),
        lambda: write_records(songs / "2.json", song(song_id="SO2", duration=200.4, artist_id="AR2")),
        lambda: (
            write_records(log / "2.json"),
            write_records(log / "3.json", play(ts=TS - 1), play(ts=TS - 1)),
        ),
        lambda: write_records(log / "1.json", play(userId="3")),
        lambda: None,
    ]
    for step in steps:
        step()
        run_printed(database, sources, capsys, *options)
        assert etl(database, *sources, *options) == 0
        assert in_ledger(copy) == in_ledger(database)
    assert run(["check", "--database", str(copy), "--config", os.devnull]) == 0


def test_what_is_printed_for_the_real_month_can_be_run(
    real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    database = tmp_path / "w.duckdb"
    sources = (real_data / "log_data", real_data / "song_data")
    counts = run_printed(database, sources, capsys)
    assert dict(counts)["songplays"] == 6820
    assert etl(database, *sources) == 0
    assert in_ledger(tmp_path / "copy.duckdb") == in_ledger(database)


def test_files_on_s3_are_named_and_what_they_need_is_said(
    lake: Path,
    s3: S3Server,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    for name, value in {"KEY": s3.key, "SECRET": s3.secret, "ENDPOINT_URL": s3.endpoint}.items():
        monkeypatch.setenv(f"SPARKIFY_AWS_{name}", value)
    shutil.copytree(lake / "log_data", s3.root / "printed" / "log_data")
    capsys.readouterr()
    assert etl(tmp_path / "w.duckdb", "s3://printed/log_data", None, "--plan", "--sql") == 0
    printed = capsys.readouterr().out
    assert "    ('s3://printed/log_data/1.json', " in printed
    assert "-- DuckDB needs its extension httpfs, and a secret, to read s3:// itself." in printed
    assert s3.secret not in printed


@pytest.mark.parametrize("engine", ENGINES)
def test_a_plan_with_its_sql_changes_nothing(
    warehouses: Warehouses, lake: Path, tmp_path: Path, s3: S3Server, engine: str
):
    place = warehouses.new(engine, tmp_path / "place")
    assert etl(place, lake / "log_data", lake / "song_data", "--plan", "--sql") == 0
    assert not exists(place)
    assert etl(place, lake / "log_data", lake / "song_data") == 0
    before = hash_tables(place, file_ids=True, ledger=True)
    write_records(lake / "log_data" / "3.json", play(ts=TS + 9))
    written = sorted((s3.root / "staging").rglob("*")) if engine == "redshift" else []
    assert etl(place, lake / "log_data", lake / "song_data", "--plan", "--sql", "--full-refresh") == 0
    assert hash_tables(place, file_ids=True, ledger=True) == before
    assert (sorted((s3.root / "staging").rglob("*")) if engine == "redshift" else []) == written


def test_sql_goes_with_a_plan(tmp_path: Path):
    assert run(["etl", "--sql", "--database", str(tmp_path / "w.duckdb")]) == 2


def test_few_statements_and_two_for_each_log_file(
    warehouses: Warehouses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Their number does not grow with songs, and by two with a log file: COPY, and numbering its rows."""
    sent = []
    for songs, logs in ((1, 1), (40, 1), (1, 11)):
        folder = tmp_path / f"{songs}-{logs}"
        for number in range(songs):
            write_records(folder / "song_data" / f"{number}.json", song(song_id=f"SO{number}"))
        for number in range(logs):
            write_records(folder / "log_data" / f"{number}.json", play(ts=TS + number))
        place = warehouses.new("redshift", folder / "place")
        capsys.readouterr()
        assert etl(place, folder / "log_data", folder / "song_data", "--json") == 0
        sent.append(json.loads(capsys.readouterr().out)["statements_sent"])
    assert sent[1] == sent[0]
    assert sent[2] == sent[0] + 2 * 10
    assert sent[0] < 110
