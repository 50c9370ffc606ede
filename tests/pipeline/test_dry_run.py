"""`etl --plan --sql` prints what `etl` then sends, statement by statement, and asks and changes nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sparkify.cli.app import run
from sparkify.pipeline import scope
from sparkify.pipeline.checks import all_checks
from sparkify.warehouse.duckdb.translation import to_duckdb
from sparkify.warehouse.models import MODELS
from sparkify.warehouse.statements import LOST, SPARSE, TOUCHED, read_statements
from tests.conftest import S3Server
from tests.contents import hash_tables
from tests.loading import etl
from tests.records import TS, play, song, write_records
from tests.tiers import sweep
from tests.warehouses import ENGINES, OnRedshift, Place, Warehouses, exists, options_of, rows


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    write_records(tmp_path / "song_data" / "1.json", song())
    write_records(tmp_path / "song_data" / "2.json", song(song_id="SO2"))
    write_records(tmp_path / "log_data" / "1.json", play(), play(ts=TS + 1, page="Home"))
    write_records(tmp_path / "log_data" / "2.json", play(ts=TS + 2))
    return tmp_path


def bare(sql: str) -> str:
    """Return a statement without what only the files and the moment tell: numbers, times, contents, names."""
    sql = re.sub(r"'[0-9a-f]{32}', NULL, NULL\)", "NULL, NULL, NULL)", sql)
    text = re.sub(r"sparkify-runs/[0-9TZ]+-[0-9a-f]{8}/", "RUN/", sql)
    text = re.sub(r"'[0-9a-f]{32}'", "NULL", text)  # a content, which only the file tells
    return re.sub(r"-?[0-9]+", "0", text)


def rehearsed(place: OnRedshift, lake: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    capsys.readouterr()
    assert etl(place, lake / "log_data", lake / "song_data", "--plan", "--sql", "--json", *options) == 0
    return [bare(sql) for sql in json.loads(capsys.readouterr().out)["statements"]]


@pytest.mark.parametrize("options", sweep([[], ["--full-refresh"], ["--batch-bytes", "1"]], 3))
def test_what_is_printed_is_what_is_sent(
    warehouses: Warehouses,
    lake: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
):
    monkeypatch.setattr(scope, "_MOST", 0.0)  # a single event makes its day a whole one
    place = warehouses.new("redshift", tmp_path / "place")
    assert isinstance(place, OnRedshift)
    for more in ("first", "again"):
        write_records(lake / "log_data" / f"{more}.json", play(ts=TS + 9, song=more))
        write_records(lake / "song_data" / f"{more}.json", song(song_id=f"SO{more}"))
        write_records(
            lake / "log_data" / "2.json", play(ts=TS + 2), play(ts=TS + 3, song=more)
        )  # a new version
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


@pytest.mark.parametrize("options", [[], ["--full-refresh"]])
def test_models_and_checks_are_printed_for_duckdb_as_they_run(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
):
    """Every model in its order, in the text that DuckDB is given; nothing is read or made."""
    capsys.readouterr()
    sources = (lake / "log_data", lake / "song_data")
    assert etl(tmp_path / "w.duckdb", *sources, "--plan", "--sql", "--json", *options) == 0
    printed = json.loads(capsys.readouterr().out)["statements"]
    left_out = (SPARSE, LOST, TOUCHED) if options else (SPARSE, LOST)
    models = [to_duckdb(step.without(*left_out)) for path in MODELS for step in read_statements(path)]
    texts = [text.partition("\n")[2] for text in printed]
    assert [text for text in texts if text in models] == models
    assert {to_duckdb(check.step.without(*left_out)) for check in all_checks()} <= set(texts)
    assert not any("run_moments AS m" in text for text in texts), "nothing is looked up moment by moment"
    assert (to_duckdb(read_statements("star/reset.sql")[0]) in texts) == bool(options)
    assert not (tmp_path / "w.duckdb").exists()


@pytest.mark.as_owner("a warehouse without tables, which the first run makes")
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


def count_statements(place: Place, lake: Path, capsys: pytest.CaptureFixture[str], *, code: int = 0) -> int:
    """Load a lake; return how many statements that took."""
    capsys.readouterr()
    most = "50%" if code else "100%"
    assert etl(place, lake / "log_data", lake / "song_data", "--max-rejects", most, "--json") == code
    return int(json.loads(capsys.readouterr().out)["statements_sent"])


def test_a_run_sends_a_hundred_statements_however_many_files_there_are(
    warehouses: Warehouses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    sent = []
    for songs, logs in ((1, 1), (40, 30), (1, 300)):
        folder = tmp_path / f"{songs}-{logs}"
        for number in range(songs):
            write_records(folder / "song_data" / f"{number}.json", song(song_id=f"SO{number}"))
        for number in range(logs):
            write_records(folder / "log_data" / f"{number}.json", play(ts=TS + number))
        place = warehouses.new("redshift", folder / "place")
        assert run(["create-tables", *options_of(place)]) == 0
        sent.append(count_statements(place, folder, capsys))
    assert sent[0] == sent[1] == sent[2] <= 100
    # A day more, without songs.
    write_records(tmp_path / "1-300" / "log_data" / "next.json", play(ts=TS + 90_000_000))
    assert count_statements(place, tmp_path / "1-300", capsys) <= 85


@pytest.mark.as_owner("adopting a field adds a column, which takes the table's owner")
@pytest.mark.parametrize("many", [30, 300])
def test_fields_that_are_not_built_in_take_no_more_statements(
    warehouses: Warehouses, tmp_path: Path, capsys: pytest.CaptureFixture[str], many: int
):
    """Adopted ones, others, and values that do not fit: in every file, however many there are."""
    sent = []
    for logs in (1, many):
        folder = tmp_path / f"{logs}"
        write_records(folder / "song_data" / "1.json", song())
        for number in range(logs):
            others = {"score": (2.5, "x")[number % 2], f"more{number % 40}": {"a": number}}
            write_records(folder / "log_data" / f"{number}.json", play(ts=TS + number) | others)
        place = warehouses.new("redshift", folder / "place")
        assert run(["create-tables", *options_of(place)]) == 0
        adopted = ["score", "--type", "DOUBLE", "--kind", "events"]
        assert run(["fields", "adopt", *adopted, *options_of(place)]) == 0
        sent.append(count_statements(place, folder, capsys))
    assert sent[0] == sent[1] <= 100
    found = "SELECT COUNT(*), COUNT(extra), COUNT(score) FROM staging_events"
    assert rows(place, found) == [(many, many, many // 2)]


def test_files_that_are_read_again_take_as_many_statements_whether_few_or_many(
    warehouses: Warehouses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Bad lines, other fields (in each file another), what is too long; then all of them are set aside."""
    sent = []
    for files in (4, 24):
        folder = tmp_path / f"{files}"
        for number in range(files):
            more = (
                {f"more{number}": 1},
                {"artist": "x" * 1025},
                {"location": "x" * 2000},
                {"length": "1." + "0" * 99},
            )[number % 4]
            path = folder / "log_data" / f"{number}.json"
            write_records(path, play(ts=TS + 2 * number), play(ts=TS + 2 * number + 1) | more)
            if number % 4 == 1:
                path.write_text(path.read_text() + "no JSON\n")
            write_records(folder / "song_data" / f"{number}.json", song(song_id=f"SO{number}", year=1999.0))
        place = warehouses.new("redshift", folder / "place")
        loading = count_statements(place, folder, capsys)
        for path in (folder / "log_data").iterdir():
            path.write_text("no JSON\n")
        write_records(folder / "log_data" / "good.json", play(ts=TS + 900))
        sent.append((loading, count_statements(place, folder, capsys, code=4)))
    assert sent[0] == sent[1]
