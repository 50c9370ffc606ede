"""The views for analysts say what plain Python says of the same records, on both engines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkify.cli.app import run
from sparkify.warehouse.views import view_definitions
from tests.clocks import ELSEWHERE, METROS
from tests.conftest import S3Server
from tests.contents import read_tables
from tests.loading import etl
from tests.old_warehouses import VERSIONS, restore_on
from tests.oracle import EPOCH, Tables
from tests.records import TS, play, song, write_records
from tests.tiers import by_profile, sweep
from tests.views_oracle import VIEWS, expect_local_views, expect_views
from tests.warehouses import ENGINES, Place, Warehouses, execute, options_of, rows

DAY = 86_400_000
_JULY = datetime.fromisoformat("2018-07-01T12:00")


def read_views(place: Place, names: Iterable[str] = VIEWS) -> Tables:
    return {
        name: Counter(rows(place, f"SELECT {', '.join(VIEWS[name])} FROM analytics.{name}")) for name in names
    }


def assert_views(place: Place) -> None:
    """Compare view by view, so that a failure names one; the tables are held against the oracle elsewhere."""
    found, expected = read_views(place), expect_views(read_tables(place))
    for name, wanted in expected.items():
        assert _close(found[name]) == _close(wanted), name


def _close(rows_of_view: Counter[Any]) -> Counter[Any]:
    """Round what was divided: the engines add in another order."""
    return Counter(
        {
            tuple(round(value, 9) if isinstance(value, float) else value for value in row): count
            for row, count in rows_of_view.items()
        }
    )


def test_every_view_has_an_oracle() -> None:
    assert {f"analytics.{name}" for name in VIEWS} | {"analytics.events"} == set(view_definitions())


@pytest.mark.parametrize("name", sorted(view_definitions()))
def test_every_view_says_its_grain(name: str) -> None:
    assert "-- grain: " in view_definitions()[name].text


_PAGES = st.sampled_from(
    ["NextSong", "NextSong", "NextSong", "Home", "Upgrade", "Submit Upgrade", "Downgrade", "Cancel", "Logout"]
)
# Half days over ten weeks, from the end of a year on; the same moment often.
_WHEN = st.integers(0, 140).map(lambda half: 1_545_609_600_000 + half * DAY // 2) | st.integers(0, 3).map(
    lambda second: TS + 1000 * second
)
_EVENTS = st.builds(
    play,
    page=_PAGES,
    ts=_WHEN,
    userId=st.sampled_from(["1", "1", "2", "3"]),
    sessionId=st.sampled_from([1, 2]),
    itemInSession=st.integers(0, 3),
    level=st.sampled_from(["free", "paid", "free ", "", None]),
    length=st.sampled_from([None, -1.0, 0.0, 1.5, 2.0, 200.5, 50_000.0]),
    song=st.sampled_from(["Title", "Other", "", None]),
    artist=st.sampled_from(["Artist", "Nobody", None]),
    firstName=st.sampled_from(["Ada", "Bea", None]),
    location=st.sampled_from(["Boise City, ID", "Phoenix-Mesa-Scottsdale, AZ", "London", None]),
    registration=st.sampled_from([None, 1.0, 1540919166796.0, 1541030400000.0, 1e300]),
)
_NOBODY = st.builds(play, page=st.just("Home"), userId=st.sampled_from(["", None]), ts=_WHEN)


@settings(max_examples=by_profile(4, 60, 1500), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(_EVENTS | _EVENTS | _NOBODY, min_size=1, max_size=25))
def test_views_are_those_of_the_oracle(
    warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory, events: Sequence[dict[str, Any]]
) -> None:
    _hold(warehouses, "duckdb", tmp_path_factory.mktemp("views"), events)


@settings(max_examples=by_profile(2, 10, 150), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(_EVENTS | _EVENTS | _NOBODY, min_size=1, max_size=25))
def test_views_on_redshift_are_those_of_the_oracle(
    warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory, events: Sequence[dict[str, Any]]
) -> None:
    _hold(warehouses, "redshift", tmp_path_factory.mktemp("views"), events)


def _hold(warehouses: Warehouses, engine: str, folder: Path, events: Sequence[dict[str, Any]]) -> None:
    write_records(folder / "logs" / "1.json", *events, play(ts=TS - DAY))
    write_records(folder / "songs" / "1.json", song())
    with warehouses.temporary(engine, folder / "place") as place:
        assert etl(place, folder / "logs", folder / "songs", "--lenient") == 0
        assert_views(place)


@pytest.mark.parametrize("engine", sweep(ENGINES, 2))
def test_views_of_the_real_month(
    warehouses: Warehouses, engine: str, tmp_path: Path, real_data: Path
) -> None:
    place = warehouses.new(engine, tmp_path / "place")
    assert etl(place, real_data / "log_data", real_data / "song_data") == 0
    assert_views(place)


# The first year that counts, those with the earliest and the latest days of both changes, and another.
_MIDNIGHTS = [
    datetime.fromisoformat(f"{year}-{day}")
    for year, spring, autumn in (
        *((2008, "03-09", "11-02"), (2026, "03-08", "11-01"), (2021, "03-14", "11-07")),
        (2018, "03-11", "11-04"),
    )
    for day in ("01-01", spring, autumn)
]
# From the evening before in the west to its morning; and a time in each half of a year.
_MOMENTS = [midnight + timedelta(hours=hour, minutes=30) for midnight in _MIDNIGHTS for hour in range(4, 13)]
_MOMENTS += [midnight + timedelta(days=days) for midnight in _MIDNIGHTS for days in (-8, 31)]


@pytest.mark.parametrize("engine", ENGINES)
def test_local_time_is_right_across_both_changes_in_every_zone(
    warehouses: Warehouses, engine: str, tmp_path: Path
) -> None:
    zones = list({zone.key: place for place, zone in METROS.items()}.values())
    moments = [(place, moment) for place in zones for moment in _MOMENTS]
    moments += [
        (place, moment) for place in (*METROS, *ELSEWHERE) for moment in (_JULY, _JULY + timedelta(days=150))
    ]
    moments.append(("Eugene, OR", datetime.fromisoformat("2007-12-31T23:59")))
    events = [
        play(
            userId=str(number % 3),
            itemInSession=number,
            location=place,
            ts=(moment - EPOCH) // timedelta(milliseconds=1),
        )
        for number, (place, moment) in enumerate(moments)
    ]
    write_records(tmp_path / "logs" / "1.json", *events)
    place = warehouses.new(engine, tmp_path / "place")
    assert etl(place, tmp_path / "logs", None, "--lenient") == 0
    expected = expect_local_views(read_tables(place))
    assert read_views(place, expected) == expected
    assert {row[0] for row in rows(place, "SELECT location FROM analytics.places")} >= set(METROS)
    by_hand = rows(
        place,
        "SELECT DISTINCT l.start_time, l.local_time FROM analytics.local_plays AS l "
        "WHERE l.time_zone = 'America/New_York' AND "
        "(l.start_time BETWEEN '2018-03-11 06:00' AND '2018-03-11 08:00' OR "
        "l.start_time BETWEEN '2018-11-04 05:00' AND '2018-11-04 07:00') ORDER BY 1",
    )
    assert [(str(utc), str(local)) for utc, local in by_hand] == [
        ("2018-03-11 06:30:00", "2018-03-11 01:30:00"),
        ("2018-03-11 07:30:00", "2018-03-11 03:30:00"),
        ("2018-11-04 05:30:00", "2018-11-04 01:30:00"),
        ("2018-11-04 06:30:00", "2018-11-04 01:30:00"),
    ]


@pytest.mark.parametrize("engine", sweep(ENGINES, 2))
def test_an_empty_warehouse_has_empty_views(warehouses: Warehouses, engine: str, tmp_path: Path) -> None:
    place = warehouses.new(engine, tmp_path / "place")
    assert run(["create-tables", *options_of(place)]) == 0
    assert read_views(place) == {name: Counter() for name in VIEWS}


@pytest.mark.parametrize("engine", sweep(ENGINES, 2))
def test_a_view_of_another_version_is_made_anew_and_one_that_is_no_more_goes(
    warehouses: Warehouses, engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = warehouses.new(engine, tmp_path / "place")
    write_records(tmp_path / "logs" / "1.json", play())
    assert etl(place, tmp_path / "logs", None) == 0
    execute(place, "DROP VIEW analytics.funnel")
    execute(place, "CREATE VIEW analytics.funnel AS SELECT 1 AS page")
    execute(place, "CREATE VIEW analytics.of_before AS SELECT page FROM analytics.funnel")
    digests = rows(place, "SELECT models_digest FROM etl.meta")[0][0]
    other = " ".join(each for each in digests.split() if not each.startswith("analytics.funnel="))
    other += " analytics.funnel=0 analytics.of_before=0"
    execute(place, f"UPDATE etl.meta SET models_digest = '{other}'")
    capsys.readouterr()
    assert run(["upgrade", "--plan", "--json", *options_of(place)]) == 0
    told = json.loads(capsys.readouterr().out)["upgrade"]
    assert set(told["views"]) == {"analytics.funnel", "analytics.of_before"}
    assert told["models"] == []
    # Nothing new in the lake: the views are made all the same, and nothing is computed again.
    assert etl(place, tmp_path / "logs", None, "--json") == 0
    assert_views(place)
    here = "SELECT COUNT(*) FROM information_schema.views WHERE table_name = 'of_before'"
    assert rows(place, here) == [(0,)]
    assert rows(place, "SELECT COUNT(*) FROM etl.runs") == [(1,)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("engine", sweep(ENGINES, 2))
def test_an_older_warehouse_gets_them_by_an_upgrade(
    warehouses: Warehouses, s3: S3Server, engine: str, version: int, tmp_path: Path
) -> None:
    old = restore_on(engine, version, tmp_path, warehouses, s3)
    sources = ["--log-data", old.log_data, "--song-data", old.song_data]
    assert run(["upgrade", *sources, *options_of(old.place)]) == 0
    assert read_views(old.place)["sessions"]
    assert_views(old.place)


@pytest.mark.parametrize("engine", sweep(ENGINES, 2))
def test_a_reset_makes_the_views_again(warehouses: Warehouses, engine: str, tmp_path: Path) -> None:
    place = warehouses.new(engine, tmp_path / "place")
    write_records(tmp_path / "logs" / "1.json", play())
    assert etl(place, tmp_path / "logs", None) == 0
    assert run(["create-tables", "--drop", "--yes", *options_of(place)]) == 0
    assert read_views(place)["sessions"] == Counter()


def test_a_file_that_another_database_attaches_has_its_views(warehouses: Warehouses, tmp_path: Path) -> None:
    import duckdb

    place = warehouses.new("duckdb", tmp_path)
    write_records(tmp_path / "logs" / "1.json", play())
    assert etl(place, tmp_path / "logs", None) == 0
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{place}' AS other (READ_ONLY)")
        assert connection.execute("SELECT plays FROM other.analytics.sessions").fetchall() == [(1,)]
