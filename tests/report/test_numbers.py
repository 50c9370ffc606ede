"""The numbers of the report are those of the records, on both engines, whatever the range."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sparkify.cli.app import run
from sparkify.report.numbers import statement_names
from tests.conftest import REAL
from tests.loading import etl
from tests.oracle import parse_records
from tests.records import TS, play, write_records
from tests.report.conftest import HOSTILE, Lake, load, report
from tests.report.report_oracle import expect_report, plain
from tests.warehouses import ENGINES, Warehouses, open_place, options_of, rows

OF_THE_LEDGER = {"freshness", "rejects", "set_aside", "checks", "runs"}
RANGES = [
    (None, None),
    (date(2018, 11, 4), date(2018, 11, 20)),
    (None, date(2018, 11, 9)),
    (date(2018, 12, 1), None),
]


def bounds(since: date | None, until: date | None) -> list[str]:
    options = [["--since", str(since)] if since else [], ["--until", str(until)] if until else []]
    return [word for option in options for word in option]


def compare(told: dict[str, Any], expected: dict[str, Any]) -> None:
    assert set(told["panels"]) == set(expected) | OF_THE_LEDGER
    for name, wanted in expected.items():
        assert plain(told["panels"][name]["rows"]) == plain(wanted), name


pytestmark = pytest.mark.may_report("the report reads the views")


@pytest.mark.parametrize("engine", ENGINES)
def test_they_equal_an_oracles(
    engine: str, lake: Lake, warehouses: Warehouses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    place = warehouses.new(engine, tmp_path)
    load(place, lake)
    for since, until in RANGES:
        told = report(place, capsys, *bounds(since, until))
        compare(told, expect_report(lake.events, lake.songs, since, until))
    told = report(place, capsys)
    panels = {name: each["rows"] for name, each in told["panels"].items()}
    (fresh,) = panels["freshness"]
    assert (fresh["events"], fresh["loaded_files"], fresh["set_aside"]) == (len(lake.events), 4, 1)
    assert fresh["open_rejects"] == sum(each["rejects"] for each in panels["rejects"])
    assert Counter(each["reason"] for each in panels["rejects"])["play_without_user"] == 1
    assert [each["uri"].rpartition("/")[2] for each in panels["set_aside"]] == ["3.json"]
    assert [(each["run_id"], each["status"]) for each in panels["runs"]] == [(1, "done")]
    checks = rows(place, "SELECT COUNT(*) FROM etl.checks")[0][0]
    assert len(panels["checks"]) == checks
    assert {each["result"] for each in panels["checks"]} <= {"ok", "warn"}
    # The statement that is shown, as it is shown, gives the rows that are shown.
    reader = open_place(place)
    try:
        with reader.reading():
            for name, each in told["panels"].items():
                answer = reader.query(each["sql"])
                again = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
                assert plain(again) == plain(each["rows"]), name
    finally:
        reader.close()


@pytest.mark.parametrize("engine", [pytest.param(each, marks=pytest.mark.thorough) for each in ENGINES])
def test_those_of_the_real_month_equal_an_oracles(
    engine: str, real_data: Path, warehouses: Warehouses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    place = warehouses.new(engine, tmp_path)
    read = {
        kind: [
            record
            for path in sorted((real_data / kind).rglob("*.json"))
            for record in parse_records(path.read_bytes())
        ]
        for kind in ("log_data", "song_data")
    }
    load(place, Lake(REAL, read["log_data"], read["song_data"]))
    for since, until in RANGES[:2]:
        told = report(place, capsys, *bounds(since, until))
        compare(told, expect_report(read["log_data"], read["song_data"], since, until))


def accepted(lake: Path, kind: str) -> list[dict[str, Any]]:
    """Return the records of a simulated lake that its own account, ``truth.json``, does not call rejected."""
    found = []
    for name, truth in json.loads((lake / "truth.json").read_text())["files"].items():
        if truth["kind"] != kind:
            continue
        data = (lake / name).read_bytes()
        rejected = {each["line"] for each in truth["rejected"]}
        if rejected:
            lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
            data = b"\n".join(line for number, line in enumerate(lines, 1) if number not in rejected)
        records = parse_records(data)
        assert len(records) == truth["accepted"], name
        found += records
    return found


@pytest.fixture(scope="module")
def dirty_year(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = tmp_path_factory.mktemp("year") / "lake"
    year = ["--start", "2018-01-01", "--days", "365", "--users", "5", "--growth-rate", "1", "--songs", "60"]
    assert run(["simulate", str(lake), "--dirty", "--seed", "4", "--workers", "1", *year]) == 0
    return Lake(lake, accepted(lake, "events"), accepted(lake, "songs"))


@pytest.mark.parametrize("engine", [pytest.param(each, marks=pytest.mark.thorough) for each in ENGINES])
def test_those_of_a_dirty_year_that_came_in_parts_equal_an_oracles(
    engine: str,
    dirty_year: Lake,
    warehouses: Warehouses,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    whole, lake = dirty_year.root, tmp_path / "lake"
    logs, songs = (sorted((whole / kind).rglob("*.*")) for kind in ("log_data", "song_data"))
    place = warehouses.new(engine, tmp_path / "place")
    # The summer comes first, then what was before it, then the rest, with more of the catalogue each time.
    parts = ([*logs[150:240], *songs[:20]], [*logs[:150], *songs[20:40]], [*logs[240:], *songs[40:]])
    for part in parts:
        for path in part:
            target = lake / path.relative_to(whole)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        sources = (lake / "log_data", lake / "song_data")
        assert etl(place, *sources, "--max-rejects", "50%", "--lenient") == 0
    for since, until in ((None, None), (date(2018, 3, 11), date(2018, 11, 4))):
        told = report(place, capsys, *bounds(since, until))
        compare(told, expect_report(dirty_year.events, dirty_year.songs, since, until))
    # Of everything there is something, but whole files that are kept out.
    assert [name for name, each in told["panels"].items() if not each["rows"]] == ["set_aside"]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_empty_warehouse_and_an_empty_range_have_empty_panels(
    engine: str, warehouses: Warehouses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    place = warehouses.new(engine, tmp_path)
    assert run(["create-tables", *options_of(place)]) == 0
    for options in ([], ["--since", "2001-01-01", "--until", "2001-01-01"]):
        told = report(place, capsys, "-o", str(tmp_path / "empty.html"), *options)
        for name, each in told["panels"].items():
            if name == "headline":
                assert set(each["rows"][0].values()) == {0, None}
            elif name not in OF_THE_LEDGER:
                assert each["rows"] == [], name
        title = "1 January 2001" if options else "no plays yet"
        assert f"<h1>{title}</h1>" in (tmp_path / "empty.html").read_text(encoding="utf-8")
        write_records(tmp_path / "lake" / "log_data" / "1.json", play())
        load(place, Lake(tmp_path / "lake", [], []))


def test_daily_panels_end_366_days_before_the_last_play_and_totals_do_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    day = 86_400_000
    events = [play(ts=TS + number * 50 * day, itemInSession=number) for number in range(40)]
    write_records(tmp_path / "log_data" / "1.json", *events)
    place = tmp_path / "w.duckdb"
    load(place, Lake(tmp_path, events, []))
    told = report(place, capsys)
    compare(told, expect_report(events, []))
    assert told["panels"]["headline"]["rows"][0]["plays"] == 40
    assert len(told["panels"]["activity_by_day"]["rows"]) == 8


def test_lists_are_bounded(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    chance = random.Random(3)
    events = [
        play(
            itemInSession=number,
            song=f"Song {chance.randrange(300)}",
            artist=f"Artist {number % 150}",
            location=f"Place {number % 130}",
            level=chance.choice(["free", "paid"]),
        )
        for number in range(2000)
    ]
    write_records(tmp_path / "log_data" / "1.json", *events)
    place = tmp_path / "w.duckdb"
    load(place, Lake(tmp_path, events, []))
    told = report(place, capsys)
    compare(told, expect_report(events, []))
    of_all = [each for each in told["panels"]["top_songs"]["rows"] if each["of_level"] is None]
    assert len(of_all) == len(told["panels"]["unmatched"]["rows"]) == 100


def test_every_statement_has_a_title_and_a_definition(page: Path, capsys: pytest.CaptureFixture[str]):
    told = report(page.with_name("w.duckdb"), capsys)
    assert list(told["panels"]) == statement_names()
    for each in told["panels"].values():
        assert 0 < len(each["title"]) < 40
        assert each["definition"].endswith(".")
        assert ":since" not in each["sql"]
        assert "$since" not in each["sql"]


def test_json_alone_writes_no_page(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    told = report(page.with_name("w.duckdb"), capsys, "--since", "2018-11-02")
    assert (told["since"], told["until"], told["warehouse"]) == ("2018-11-02", None, "w.duckdb on DuckDB")
    assert list(tmp_path.iterdir()) == []
    assert any(text in json.dumps(told, ensure_ascii=False) for text in HOSTILE[4:])
