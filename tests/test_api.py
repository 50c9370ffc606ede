"""From Python: what is asked is what the command answers, and nothing is held between two questions."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import sparkify
from sparkify.errors import ConfigError, EngineError, SparkifyError
from tests.loading import etl
from tests.records import TS, play, song, write_records
from tests.tiers import sweep
from tests.warehouses import ENGINES, OnRedshift, Place, Warehouses, execute

NOON = datetime(2018, 11, 1, 12)  # noqa: DTZ001 - UTC where it carries no zone
HOUR = 3_600_000


@pytest.fixture(params=sweep(ENGINES, 2))
def place(request: pytest.FixtureRequest, warehouses: Warehouses, tmp_path: Path) -> Place:
    return warehouses.new(request.param, tmp_path / "place")


def opened(place: Place) -> Any:
    if isinstance(place, OnRedshift):
        return sparkify.open(config=place.config)
    return sparkify.open(place)


def loaded(place: Place, folder: Path, *events: dict[str, Any]) -> Any:
    write_records(folder / "logs" / "1.json", *events)
    write_records(folder / "songs" / "1.json", song())
    assert etl(place, folder / "logs", folder / "songs", "--lenient") == 0
    return opened(place)


def test_a_question_is_answered_and_the_tables_are_named(place: Place, tmp_path: Path):
    w = loaded(place, tmp_path, play(), play(ts=TS + 1, level="paid"))
    answer = w.sql("SELECT level, COUNT(*) AS plays FROM songplays GROUP BY level ORDER BY level")
    assert answer.rows() == [{"level": "free", "plays": 1}, {"level": "paid", "plays": 1}]
    assert {"songplays", "staging_events", "etl.files", "analytics.sessions"} <= {*w.tables}
    for table in w.tables:
        w.sql(f"SELECT * FROM {table} LIMIT 1").rows()


def test_an_answer_is_a_table_of_each_library_with_the_same_values_and_types(place: Place, tmp_path: Path):
    w = loaded(place, tmp_path, play(), play(ts=TS + 1, level="paid", length=None, itemInSession=1))
    answer = w.sql("SELECT songplay_id, start_time, level, length FROM songplays ORDER BY start_time")
    rows = answer.rows()
    assert [row["length"] for row in rows] == [200.5, None]
    arrow = answer.arrow()
    assert arrow.to_pylist() == rows
    assert [str(field.type) for field in arrow.schema] == ["int64", "timestamp[us]", "string", "double"]
    assert answer.pl().rows(named=True) == rows
    frame = answer.df()
    assert list(frame.columns) == list(rows[0])
    assert [frame[name].dtype.kind for name in ("songplay_id", "start_time", "length")] == ["i", "M", "f"]
    assert list(frame["songplay_id"]) == [row["songplay_id"] for row in rows]
    assert list(frame["level"]) == ["free", "paid"]
    assert list(frame["length"].isna()) == [False, True]
    nothing = w.sql("SELECT level, length FROM songplays WHERE level = 'none'")
    assert (nothing.arrow().num_rows, len(nothing.df()), nothing.pl().height, nothing.rows()) == (0, 0, 0, [])


def test_a_library_that_is_missing_is_named(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    w = loaded(place, tmp_path, play())
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    for convert in (w.sql("SELECT 1 AS one").arrow, w.sql("SELECT 1 AS one").df, w.sql("SELECT 1 AS one").pl):
        with pytest.raises(ConfigError, match="is not installed"):
            convert()


def test_nothing_is_held_between_two_questions(place: Place, tmp_path: Path):
    w = loaded(place, tmp_path, play())
    plays = w.sql("SELECT COUNT(*) AS plays FROM songplays")
    assert plays.rows() == [{"plays": 1}]
    execute(place, "DELETE FROM songplays")  # somebody writes meanwhile
    assert plays.rows() == [{"plays": 0}]


def test_a_load_returns_what_the_command_prints(tmp_path: Path):
    write_records(tmp_path / "logs" / "1.json", play())
    told = sparkify.load(database=tmp_path / "w.duckdb", log_data=str(tmp_path / "logs"))
    assert told["tables"]["songplays"] == 1
    again = sparkify.load(database=tmp_path / "w.duckdb", log_data=str(tmp_path / "logs"))
    assert again["runs"] == []
    with pytest.raises(SparkifyError):
        sparkify.load(database=tmp_path / "w.duckdb", log_data=str(tmp_path / "nowhere"))


def test_what_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(EngineError, match="no warehouse"):
        sparkify.open(tmp_path / "none.duckdb")
    with pytest.raises(ConfigError):
        sparkify.open(config=tmp_path / "none.cfg")


def test_a_query_changes_nothing(place: Place, tmp_path: Path):
    w = loaded(place, tmp_path, play())
    with pytest.raises(EngineError):
        w.sql("DELETE FROM songplays").rows()
    assert w.sql("SELECT COUNT(*) AS plays FROM songplays").rows() == [{"plays": 1}]


def test_features_are_those_of_the_time_before(place: Place, tmp_path: Path):
    """Counted in plain Python; changing the moment itself and what comes after it changes nothing."""
    noon = TS + 12 * HOUR
    before = [
        play(ts=noon - 40 * 24 * HOUR, page="Home", level="paid"),
        play(ts=noon - 20 * 24 * HOUR, itemInSession=1),
        play(ts=noon - 1, itemInSession=2),
        play(ts=noon - 2, itemInSession=3, page="Thumbs Up", userId="2", level="paid"),
    ]
    after = [
        play(ts=noon, itemInSession=4, page="Submit Upgrade"),
        play(ts=noon + HOUR, itemInSession=5, level="paid", gender="M"),
        play(ts=noon + HOUR, itemInSession=6, userId="3"),
    ]
    w = loaded(place, tmp_path, *before, *after)
    found = w.user_features(NOON).rows()
    assert [row["user_id"] for row in found] == ["1", "2"]
    one, two = found
    assert (one["events"], one["plays"], one["plays_7d"], one["plays_28d"]) == (3, 2, 1, 2)
    assert (one["level"], one["gender"], one["upgrades"], one["active_days"]) == ("free", "F", 0, 3)
    assert one["days_since_first"] == pytest.approx(40)
    assert (two["thumbs_up"], two["plays"], two["level"]) == (1, 0, "paid")
    write_records(tmp_path / "logs" / "1.json", *before, play(ts=noon + 1, userId="1", gender="M"))
    assert etl(place, tmp_path / "logs", None, "--lenient") == 0
    assert w.user_features(NOON).rows() == found
    zoned = NOON.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=-5)))
    assert w.user_features(zoned).rows() == found


def test_the_report_is_written_where_it_is_wanted(place: Place, tmp_path: Path):
    w = loaded(place, tmp_path, play())
    path = w.report(tmp_path / "page.html", since=date(2018, 11, 1), until=date(2018, 11, 1))
    assert "<h1>1 November 2018" in path.read_text(encoding="utf-8")


def test_importing_it_imports_nothing_heavy():
    code = "import sparkify, sys; print([name for name in ('duckdb', 'click') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    with pytest.raises(AttributeError):
        _ = sparkify.nothing
