"""What is older than is kept is nowhere; the tables are those that the younger events alone give."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkify.cli.app import run
from sparkify.pipeline import etl_run
from tests.loading import etl
from tests.oracle import expect
from tests.pipeline.test_erasure import Forgetting, command, erasing_steps, hold
from tests.pipeline.test_properties import assert_tables
from tests.records import TS, play, song, write_records
from tests.tiers import by_profile
from tests.warehouses import ENGINES, Warehouses, options_of, rows

RUN_OPTIONS = etl_run.RunOptions
DAY = 86_400_000
FIRST = date(2018, 11, 1)

each_engine = pytest.mark.parametrize("engine", ENGINES)


def event(day: int, **changes: Any) -> dict[str, Any]:
    """Return a play of a day, counted from 2018-11-01."""
    return play(**{"ts": TS + day * DAY + 5, "userId": f"{day}"} | changes)


def after(days: int) -> str:
    return str(FIRST + timedelta(days=days))


@each_engine
def test_what_is_left_is_what_the_younger_events_alone_give(
    warehouses: Warehouses, tmp_path: Path, engine: str, capsys: pytest.CaptureFixture[str]
):
    """Rejects go with their time; later deliveries stay out; files without anything younger are expired."""
    place = warehouses.new(engine, tmp_path / "place")
    logs, songs = tmp_path / "log_data", tmp_path / "song_data"
    old = write_records(logs / "1.json", *(event(0, sessionId=number) for number in range(12)))
    bad = json.dumps(event(0, sessionId=None))
    old.write_text(f"{old.read_text()}{bad}\nno JSON\n")
    mixed = write_records(logs / "2.json", event(1), event(1, userId="2", page="Home"), event(3))
    mixed.write_text(mixed.read_text() + json.dumps(event(1, sessionId="x")) + "\nno JSON either\n")
    write_records(songs / "1.json", song())
    assert etl(place, logs, songs, "--max-rejects", "50%", "--accept", "2.json") == 0
    capsys.readouterr()
    keep = ["retain", "--older-than", "2d", "--as-of", after(4)]
    assert command(place, *keep, "--plan", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["events"], told["plays"], told["rejects"], told["files"]) == (14, 13, 3, [str(old)])
    assert command(place, *keep, "--yes") == 0
    assert_tables(place, expect([event(3)], [song()]))
    counts = "state, rows_read, rows_loaded, rows_rejected, rows_erased"
    ledger = rows(place, f"SELECT {counts} FROM etl.files WHERE kind = 'events'")
    assert sorted(ledger) == [("expired", 14, 0, 0, 14), ("loaded", 5, 1, 1, 3)]
    assert rows(place, "SELECT content FROM etl.rejects") == [("no JSON either",)]
    assert rows(place, "SELECT COUNT(*) FROM etl.played_titles WHERE played_from < %s", [TS + 2 * DAY]) == [
        (0,)
    ]
    # Again nothing; what is delivered again, or for the first time, comes in without what is older.
    assert etl(place, logs, songs) == 0
    assert run(["rejects", "replay", "--log-data", str(logs), *options_of(place)]) == 0
    old.write_text(old.read_text() + json.dumps(event(4)) + "\n")
    write_records(logs / "3.json", event(0, userId="9"))
    write_records(logs / "4.json", event(0, userId="9"), event(5))
    assert etl(place, logs, songs, "--max-rejects", "50%") == 0
    assert etl(place, logs, songs, "--full-refresh") == 0
    assert_tables(place, expect([event(3), event(4), event(5)], [song()]))
    assert command(place, "retain", "--older-than", "900d", "--as-of", after(4), "--yes") == 0
    assert command(place, "check") == 0
    assert_tables(place, expect([event(3), event(4), event(5)], [song()]))
    for table in ("etl.runs", "etl.files"):
        sums = "WHERE rows_read <> rows_loaded + rows_rejected + rows_erased"
        assert rows(place, f"SELECT * FROM {table} {sums}") == []


@each_engine
def test_with_retain_each_load_does_it(
    warehouses: Warehouses,
    tmp_path: Path,
    engine: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """In its own transaction, of what it loads and of what is there; and where there is nothing to load."""
    place = warehouses.new(engine, tmp_path / "place")
    logs, songs = tmp_path / "log_data", tmp_path / "song_data"
    write_records(logs / "1.json", event(0), event(1), event(2))
    write_records(songs / "1.json", song())
    assert etl(place, logs, songs) == 0
    monkeypatch.setenv("SPARKIFY_DWH_RETAIN", "2d")
    set_clock(monkeypatch, 3)
    write_records(logs / "2.json", event(0, userId="7"), event(3))
    capsys.readouterr()
    assert etl(place, logs, songs, "--plan", "--json") == 0
    erased = json.loads(capsys.readouterr().out)["plan"]["erased"]
    assert (erased["events"], erased["rejects"]) == (1, 0)
    assert etl(place, logs, songs) == 0
    assert_tables(place, expect([event(1), event(2), event(3)], [song()]))
    modes = "SELECT mode, rows_read, rows_loaded, rows_erased FROM etl.runs ORDER BY run_id"
    assert rows(place, modes)[1:] == [("incremental", 2, 1, 1), ("retain", 0, -1, 1)]
    assert etl(place, logs, songs) == 0
    assert len(rows(place, modes)) == 3
    set_clock(monkeypatch, 4)
    assert etl(place, logs, songs) == 0
    assert_tables(place, expect([event(2), event(3)], [song()]))
    assert rows(place, modes)[3:] == [("retain", 0, -1, 1)]
    monkeypatch.delenv("SPARKIFY_DWH_RETAIN")
    write_records(logs / "3.json", event(1, userId="7"), event(2, userId="7"))
    assert etl(place, logs, songs) == 0
    assert_tables(place, expect([event(2), event(2, userId="7"), event(3)], [song()]))
    assert command(place, "check") == 0
    # A day to come would keep out all that is to come before it.
    assert command(place, "retain", "--older-than", "1d", "--as-of", "2999-01-01", "--yes") == 2


def set_clock(patched: pytest.MonkeyPatch, day: int) -> None:
    """Have runs take a day for today."""
    now = datetime.combine(FIRST + timedelta(days=day), time())
    patched.setattr(etl_run, "RunOptions", partial(RUN_OPTIONS, clock=lambda: now))


@dataclass
class Retaining(Forgetting):
    """A lake, and the day before which nothing is kept."""

    first: int = -10_000

    def retain(self, day: int) -> None:
        code = run(
            ["retain", "--older-than", "1d", "--as-of", after(day + 1), "--yes", *options_of(self.place)]
        )
        assert code == 0
        self.runs += 1
        self.took_out.add(self.runs)
        self.first = max(self.first, day)

    def _is_too_old(self, record: dict[str, Any]) -> bool:
        return int(record["ts"]) < TS + self.first * DAY


@st.composite
def _steps(draw: st.DrawFn) -> list[tuple[str, Any, Any]]:
    """Steps of erasure, with days to keep; events lie on few of them."""
    moments = st.builds(lambda day, ts: TS + day * DAY + ts, st.integers(-1, 3), st.integers(0, 2))
    steps: list[tuple[str, Any, Any]] = []
    for action, name, records in draw(erasing_steps()):
        if action == "write" and name.startswith("log"):
            steps.append((action, name, [{**each, "ts": draw(moments)} for each in records]))
        elif action == "forget" and draw(st.booleans()):
            steps.append(("retain", draw(st.integers(-1, 3)), None))
        else:
            steps.append((action, name, records))
    return steps


@settings(max_examples=by_profile(1, 2, 300), deadline=None, suppress_health_check=list(HealthCheck))
@given(_steps())
def test_in_any_order_the_tables_are_those_of_the_younger_events(
    warehouses: Warehouses, steps: list[tuple[str, Any, Any]]
):
    hold(warehouses, "duckdb", steps, Retaining)


@settings(max_examples=by_profile(1, 1, 30), deadline=None, suppress_health_check=list(HealthCheck))
@given(_steps())
def test_so_they_are_on_redshift(warehouses: Warehouses, steps: list[tuple[str, Any, Any]]):
    hold(warehouses, "redshift", steps, Retaining)
