"""Silence is not success: what is missing, cut or renamed is published and named, with exit code 4, once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sparkify.cli.app import run
from sparkify.cli.screen import Progress
from sparkify.lake.stores import open_store
from sparkify.pipeline.etl_run import RunOptions, run_etl
from sparkify.pipeline.plan import Source
from sparkify.records import EVENTS
from sparkify.settings import load_settings
from tests.contents import hash_tables
from tests.loading import etl
from tests.oracle import EPOCH
from tests.records import TS, play, song, write_records
from tests.warehouses import ENGINES, Place, Warehouses, open_place, options_of, rows

HOUR = 3_600_000
DAY = 24 * HOUR
# A play every twenty minutes: 72 a day.
EVERY = HOUR // 3

Change = Callable[[bytes], bytes | None]


def day_of(number: int) -> str:
    """Return the name of a day, from 0."""
    return (EPOCH + timedelta(milliseconds=TS + number * DAY)).date().isoformat()


def log_of(number: int, **changes: Any) -> bytes:
    """Return a day's log."""
    times = range(TS + number * DAY, TS + (number + 1) * DAY, EVERY)
    plays = [play(ts=ts, itemInSession=item, sessionId=number, **changes) for item, ts in enumerate(times)]
    return "".join(json.dumps(each) + "\n" for each in plays).encode()


def missing(_log: bytes) -> None:
    """The file never comes."""


def empty(_log: bytes) -> bytes:
    return b""


def half(log: bytes) -> bytes:
    lines = log.splitlines(keepends=True)
    return b"".join(lines[: len(lines) // 2])


def second_half(log: bytes) -> bytes:
    return log.removeprefix(half(log))


def cut(log: bytes) -> bytes:
    return log[: len(half(log)) + 40]


def renamed(log: bytes) -> bytes:
    return log.replace(b'"song":', b'"track":')


CHECKS: dict[Change, set[str]] = {
    missing: {"hole_in_time"},
    empty: {"empty_log", "hole_in_time"},
    half: {"hole_in_time"},
    second_half: {"hole_in_time"},
    cut: {"cut_file", "hole_in_time"},
    renamed: {"match_rate_fell", "plays_without_names", "vanished_field"},
}


class Nights:
    """A lake that gets a log a night, and the warehouse that is loaded after each."""

    def __init__(
        self, folder: Path, place: Place, capsys: pytest.CaptureFixture[str], logs: Sequence[bytes]
    ) -> None:
        self.folder = folder
        self.place = place
        self.logs = logs
        self.told: dict[str, Any] = {}
        self._capsys = capsys
        self._songs: Path | None = None

    def deliver(self, number: int, change: Change | None = None) -> Path:
        path = self.folder / "log_data" / f"{number:03}-events.json"
        log = change(self.logs[number]) if change else self.logs[number]
        if log is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(log)
        return path

    def catalogue(self, songs: Path) -> None:
        """Load these songs with the next run."""
        self._songs = songs

    def run(self, *options: str) -> int:
        self._capsys.readouterr()
        code = etl(
            self.place, self.folder / "log_data", self._songs, "--json", "--max-rejects", "5%", *options
        )
        self._songs = None
        self.told = json.loads(self._capsys.readouterr().out)
        return code

    def night(self, number: int, change: Change | None = None) -> int:
        self.deliver(number, change)
        return self.run()

    @property
    def attention(self) -> set[str]:
        return {each["kind"] for each in self.told["attention"]}

    def check(self) -> tuple[int, dict[str, Any]]:
        self._capsys.readouterr()
        code = run(["check", *options_of(self.place), "--json"])
        return code, json.loads(self._capsys.readouterr().out)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of twelve days without a fault, and its lake."""
    folder = tmp_path_factory.mktemp("before")
    song_data = write_records(folder / "song_data" / "1.json", song()).parent
    for number in range(12):
        (folder / "log_data").mkdir(exist_ok=True)
        (folder / "log_data" / f"{number:03}-events.json").write_bytes(log_of(number))
    assert etl(folder / "w.duckdb", folder / "log_data", song_data) == 0
    return folder


@pytest.fixture
def nights(before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Nights]:
    """The nights after: the files stay where they are, so that no run reads the first twelve days again."""
    shutil.copytree(before / "log_data", tmp_path / "kept")
    shutil.copy(before / "w.duckdb", tmp_path / "w.duckdb")
    yield Nights(before, tmp_path / "w.duckdb", capsys, [log_of(number) for number in range(40)])
    shutil.rmtree(before / "log_data")
    shutil.copytree(tmp_path / "kept", before / "log_data", copy_function=shutil.copy2)


@pytest.mark.parametrize("change", CHECKS)
def test_what_is_missing_is_told_by_one_night_and_not_by_the_next(nights: Nights, change: Change):
    first, *more = [nights.night(12, change), nights.night(13)]
    if change is missing:
        assert first == 0, "nothing came: there was nothing to judge"
        first, *more = [*more, nights.night(14)]
        nights.told = {"attention": [{"kind": "hole_in_time"}]}
    assert (first, more) == (4, [0])
    code, told = nights.check()
    standing = {each["name"] for each in told["checks"] if each["failing_rows"]}
    assert (code, told["ok"], standing) == (0, True, CHECKS[change])
    named = {
        subject
        for (subject,) in rows(nights.place, "SELECT subject FROM etl.checks WHERE subject IS NOT NULL")
    }
    # A hole between two days is named by its beginning.
    assert any(name in " ".join(named) for name in (day_of(12), f"{day_of(11)} 23:40", "012-events.json"))


@pytest.mark.parametrize("engine", ENGINES)
def test_all_of_it_at_once_is_named_on_both_engines(
    warehouses: Warehouses, engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Two holes do not hide each other, although the longest of 28 days is what they are compared with."""
    place = warehouses.new(engine, tmp_path / "place")
    nights = Nights(tmp_path / "lake", place, capsys, [log_of(number) for number in range(30)])
    changes = {10: missing, 14: half, 18: renamed, 23: cut}
    for number in range(30):
        nights.deliver(number, changes.get(number))
    nights.catalogue(write_records(tmp_path / "lake" / "song_data" / "1.json", song()).parent)
    assert nights.run() == 4
    found = {(each["kind"], each["subject"].rpartition("/")[2]) for each in nights.told["attention"]}
    assert found == {
        ("hole_in_time", f"{day_of(9)} 23:40"),
        ("hole_in_time", f"{day_of(14)} 11:40"),
        ("match_rate_fell", day_of(18)),
        ("plays_without_names", day_of(18)),
        ("vanished_field", f"{day_of(18)} song"),
        ("cut_file", "023-events.json"),
        ("hole_in_time", f"{day_of(23)} 11:40"),
    }
    assert nights.run() == 0
    recorded = rows(place, "SELECT DISTINCT check_name, severity FROM etl.checks")
    warning = {name for name, severity in recorded if severity == "warn"}
    assert warning == set().union(*CHECKS.values()), "those that named nothing too"
    assert {severity for _, severity in recorded} == {"error", "warn"}
    assert nights.run("--full-refresh") == 0, "a refresh brings no new cause"


def test_strict_publishes_nothing_and_lenient_exits_0(nights: Nights):
    nights.deliver(12, half)
    before = hash_tables(nights.place)
    assert nights.run("--strict") == 3
    assert hash_tables(nights.place) == before
    assert rows(nights.place, "SELECT status FROM etl.runs ORDER BY run_id") == [("done",), ("failed",)]
    # What a failed run has told is not told: nobody has published it.
    other = nights.folder / "other.duckdb"
    shutil.copy(str(nights.place), other)
    assert nights.run("--lenient") == 0
    assert nights.attention == {"hole_in_time"}
    nights.place = other
    assert nights.run() == 4
    assert nights.attention == {"hole_in_time"}
    assert nights.run("--strict") == 0
    assert run(["etl", *options_of(nights.place), "--strict", "--lenient"]) == 2


def test_a_late_event_in_a_day_that_was_told_tells_it_as_known(nights: Nights):
    assert nights.night(12, half) == 4
    late = write_records(nights.folder / "log_data" / "late.json", play(ts=TS + 12 * DAY + 1, sessionId=99))
    assert nights.run() == 0
    assert [each["kind"] for each in nights.told["known"]] == ["hole_in_time"]
    late.unlink()


def test_what_came_later_mends_a_hole(nights: Nights):
    assert nights.night(12, half) == 4
    assert nights.night(12) == 0
    code, told = nights.check()
    assert (code, [each["name"] for each in told["checks"] if each["failing_rows"]]) == (0, [])


@pytest.mark.parametrize(("hours", "told"), [(23, 0), (24, 1)])
def test_the_newest_day_is_judged_once_it_is_over(nights: Nights, hours: int, told: int):
    nights.deliver(12, half)
    store = open_store(str(nights.folder / "log_data"), load_settings(None, {}, {}).aws)
    clock = EPOCH + timedelta(milliseconds=TS + 12 * DAY + hours * HOUR)
    engine = open_place(nights.place)
    try:
        options = RunOptions(clock=lambda: clock)
        summary = run_etl(engine, [Source(EVENTS, store, store.listing())], Progress("load"), options)
    finally:
        engine.close()
    assert len(summary.attention) == told


def test_few_plays_and_few_days_prove_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A day of 19 plays without titles, holes among six days, and one empty log of ten."""
    nights = Nights(tmp_path, tmp_path / "w.duckdb", capsys, [log_of(number) for number in range(10)])
    for number in (0, 1, 2, 5, 6, 7):
        nights.deliver(number)
    few = [play(ts=TS + 3 * DAY + at, song=None, sessionId=50, userId="2") for at in range(19)]
    write_records(tmp_path / "log_data" / "few.json", *few)
    for name in ("a", "b"):
        (tmp_path / "log_data" / f"{name}.json").write_bytes(b"")
    assert nights.run() == 0


def test_a_last_line_without_a_line_break_is_whole(nights: Nights):
    assert nights.night(12, lambda log: log.rstrip(b"\n")) == 0


def test_batches_of_one_load_are_judged_when_all_are_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Between batches every day is the newest one; a cause in the first batch is told at the end."""
    nights = Nights(tmp_path, tmp_path / "w.duckdb", capsys, [log_of(number) for number in range(14)])
    for number in range(14):
        nights.deliver(number, missing if number == 9 else None)
    assert nights.run("--batch-bytes", "1") == 4
    assert [each["subject"] for each in nights.told["attention"]] == [f"{day_of(8)} 23:40"]


@pytest.mark.parametrize("how", ["at once", "day by day"])
def test_the_real_month_warns_of_nothing(
    real_data: Path, tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]
):
    logs = sorted((real_data / "log_data").rglob("*.json"))
    nights = Nights(tmp_path, tmp_path / "w.duckdb", capsys, [path.read_bytes() for path in logs])
    nights.catalogue(real_data / "song_data")
    _load(nights, how)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated year of about a thousand events a day."""
    lake = tmp_path_factory.mktemp("year") / "lake"
    assert run(["simulate", str(lake), "--events", "400000", "--days", "365", "--seed", "5"]) == 0
    return lake


@pytest.mark.thorough
@pytest.mark.parametrize("how", ["at once", "day by day"])
def test_a_clean_year_warns_of_nothing(
    year: Path, tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]
):
    nights = Nights(tmp_path, tmp_path / "w.duckdb", capsys, _logs(year))
    nights.catalogue(year / "song_data")
    _load(nights, how)


@pytest.mark.thorough
@pytest.mark.parametrize("change", CHECKS)
def test_a_year_of_a_thousand_events_a_day_tells_each_defect(
    year: Path, tmp_path: Path, change: Change, capsys: pytest.CaptureFixture[str]
):
    """On busy days of every season, each in a warehouse of the forty days before it."""
    logs = _logs(year)
    busy = [number for number, log in enumerate(logs) if number > 40 and log.count(b"\n") >= 1000]
    for number in busy[:: max(len(busy) // 4, 1)][:4]:
        folder = tmp_path / str(number)
        nights = Nights(folder, folder / "w.duckdb", capsys, logs)
        for earlier in range(number - 40, number):
            nights.deliver(earlier)
        nights.catalogue(year / "song_data")
        assert nights.run() == 0
        codes = [nights.night(number, change)]
        found = nights.attention
        codes.append(nights.night(number + 1))
        if change is missing:
            found = nights.attention
            codes = [codes[1], nights.night(number + 2)]
        assert (codes, found >= CHECKS[change]) == ([4, 0], True), (number, found)


def _logs(lake: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((lake / "log_data").rglob("*-events.json"))]


def _load(nights: Nights, how: str) -> None:
    for number in range(len(nights.logs)):
        nights.deliver(number)
        if how == "day by day":
            assert nights.run() == 0, (number, nights.told["attention"])
    assert nights.run() == 0, nights.told["attention"]
    code, told = nights.check()
    assert (code, [each["name"] for each in told["checks"] if each["failing_rows"]]) == (0, [])
