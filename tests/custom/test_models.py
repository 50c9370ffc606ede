"""Models and checks of one's own: built with the star, in the right order, all or nothing."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkify.cli.app import run
from sparkify.custom import building
from sparkify.custom.definitions import read_folder
from sparkify.errors import ModelError
from tests.contents import read_tables
from tests.custom.folder import FILES, expect_models, read_models, write_folder
from tests.loading import etl
from tests.records import TS, play, song, write_records
from tests.tiers import by_profile
from tests.warehouses import ENGINES, Place, Warehouses, engine_of, execute, options_of, rows

pytestmark = pytest.mark.may_create("a run makes the models' schemas")
DAY = 86_400_000


def write_lake(folder: Path) -> Path:
    """Write a lake of three days; nothing matches a song yet."""
    for day in range(3):
        plays = [
            play(ts=TS + day * DAY + i, userId=str(i % 2), itemInSession=i, sessionId=day) for i in range(3)
        ]
        write_records(folder / "log_data" / f"{day}.json", *plays)
    write_records(folder / "song_data" / "1.json", song(title="Another", song_id="SO9"))
    return folder


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return write_lake(tmp_path)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_folder(tmp_path / "models")
    monkeypatch.setenv("SPARKIFY_DWH_MODELS", str(folder))
    return folder


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, warehouses: Warehouses, tmp_path: Path) -> Place:
    return warehouses.new(request.param, tmp_path / "warehouse")


def load(place: Place, lake: Path, *options: str) -> int:
    return etl(place, lake / "log_data", lake / "song_data", *options)


def state(place: Place) -> tuple[Any, ...]:
    """Return all that a run that fails must leave as it is."""
    made = rows(place, "SELECT * FROM etl.models ORDER BY build_order")
    return read_tables(place), read_models(place), made


def test_they_are_built_with_the_star_and_kept_up_to_date(place: Place, lake: Path, models: Path) -> None:
    assert load(place, lake) == 0
    assert read_models(place) == expect_models(place)
    assert [name for (name,) in rows(place, "SELECT model FROM etl.models ORDER BY build_order")][-1] in (
        "marts.a_summary",
        "people.plays",
    )
    # An event of one of the days, another day, and a song that earlier plays match from now on.
    write_records(lake / "log_data" / "4.json", play(ts=TS + DAY + 7, userId="7", level="paid"))
    write_records(lake / "log_data" / "5.json", play(ts=TS + 9 * DAY, userId="8"))
    write_records(lake / "song_data" / "2.json", song())
    assert load(place, lake) == 0
    built = read_models(place)
    assert built == expect_models(place)
    assert any(row[4] for row in built["marts.z_daily"])  # it matches
    # What is loaded anew, and what a full refresh makes, is the same.
    (lake / "log_data" / "0.json").unlink()
    assert run(["undo", "1", "--yes", *options_of(place)]) == 0
    assert read_models(place) == expect_models(place)
    assert load(place, lake) == 0
    before = read_models(place)
    assert load(place, lake, "--full-refresh") == 0
    assert read_models(place) == before == expect_models(place)
    assert run(["create-tables", "--drop", "--yes", *options_of(place)]) == 0
    assert rows(place, "SELECT 1 FROM information_schema.tables WHERE table_schema = 'marts'") == []


def test_a_run_computes_the_days_it_touches_and_no_others(place: Place, lake: Path, models: Path) -> None:
    """Rows of other days that were changed behind its back show that they are left alone."""
    assert load(place, lake) == 0
    execute(place, "UPDATE marts.z_daily SET listeners = 99")
    execute(place, "UPDATE people.plays SET plays = 99")
    write_records(lake / "log_data" / "4.json", play(ts=TS + DAY + 7, userId="7"))
    assert load(place, lake) == 0
    left = rows(place, "SELECT CAST(day AS VARCHAR(10)) FROM marts.z_daily WHERE listeners = 99 ORDER BY 1")
    assert left == [("2018-11-01",), ("2018-11-03",)]
    assert rows(place, "SELECT 1 FROM people.plays WHERE plays = 99") == []


@settings(max_examples=by_profile(5, 20, 200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.sampled_from("12"), st.booleans()), min_size=1, max_size=4),
        min_size=1,
        max_size=4,
    ),
    with_song=st.integers(0, 3),
)
def test_any_order_of_loads_gives_what_a_full_build_gives(
    tmp_path_factory: pytest.TempPathFactory, models: Path, parts: Any, with_song: int
) -> None:
    """On DuckDB; the other engine is sent the same statements."""
    folder = tmp_path_factory.mktemp("loads")
    place = folder / "w.duckdb"
    write_records(folder / "song_data" / "0.json", song(title="Another", song_id="SO9"))
    for number, part in enumerate(parts):
        events = [
            play(ts=TS + day * DAY + i, userId=user, level="paid" if paid else "free", sessionId=number)
            for i, (day, user, paid) in enumerate(part)
        ]
        write_records(folder / "log_data" / f"{number}.json", *events)
        if number == with_song:
            write_records(folder / "song_data" / "1.json", song())
        assert load(place, folder) == 0
        assert read_models(place) == expect_models(place)


WRONG: dict[str, tuple[dict[str, str], int, list[str]]] = {
    "an unknown column": (
        {"people/plays.sql": "-- materialized: table\nSELECT\n  n.user_id,\n  n.nmae AS name, 1 AS plays\n"
         "FROM people.names AS n"},
        1,
        ["people/plays.sql, line 4", "nmae"],
    ),
    "an unknown function": (
        {"people/names.sql": "SELECT u.user_id,\n  shout(u.first_name) AS name\nFROM users AS u"},
        1,
        ["people/names.sql, line 2", "shout"],
    ),
    "an unknown table": (
        {"people/names.sql": "SELECT u.user_id, u.first_name AS name\nFROM\n  user AS u"},
        1,
        ["people/names.sql, line 3", "no table user"],
    ),
    "a cycle": (
        {"people/names.sql": "SELECT p.user_id, p.name\nFROM people.plays AS p"},
        1,
        ["line 2", "people.names", "people.plays"],
    ),
    "no SQL": ({"people/names.sql": "SELECT u.user_id\nFROM users AS u WHERE = 3"}, 1, ["names.sql, line 2"]),
    "a column without a name": (
        {"people/names.sql": "SELECT u.user_id, 1\nFROM users AS u"},
        1,
        ["people/names.sql", "column 2"],
    ),
    "what writes": ({"people/names.sql": "DELETE FROM songplays"}, 1, ["people/names.sql, line 1"]),
    "two statements": ({"people/names.sql": "SELECT 1 AS a; SELECT 2 AS a"}, 1, ["people/names.sql"]),
    "a schema of ours": ({"etl/names.sql": "SELECT 1 AS a"}, 1, ["etl/names.sql", "etl"]),
    "the analytics": ({"analytics/names.sql": "SELECT 1 AS a"}, 1, ["analytics/names.sql"]),
    "the star": ({"public/users.sql": "SELECT 1 AS a"}, 1, ["public/users.sql"]),
    "a head's typing error": (
        {"people/names.sql": "-- materialised: table\nSELECT 1 AS user_id, 2 AS name"},
        1,
        ["names.sql, line 1", "materialized"],
    ),
    "a grain it has not": (
        {"people/names.sql": "-- grain: id\nSELECT user_id, 'x' AS name FROM users"},
        1,
        ["line 1", "id"],
    ),
    "a broken check": (
        {"checks/has_a_name.sql": "-- severity: warn\nSELECT *\nFROM people.plays\nWHERE nome IS NULL"},
        1,
        ["checks/has_a_name.sql, line 4", "nome"],
    ),
    "a check that fails": (
        {"checks/has_a_name.sql": "SELECT user_id FROM users"},
        3,
        ["checks/has_a_name", "row"],
    ),
    "a grain that is none": (
        {"people/names.sql": "-- grain: name\nSELECT u.user_id, 'x' AS name FROM users AS u"},
        3,
        ["people.names:unique(name)"],
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=ENGINES)
def loaded(
    request: pytest.FixtureRequest, warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Place, Path]:
    """A warehouse with models, and a lake that has one file more."""
    folder = tmp_path_factory.mktemp("loaded")
    place = warehouses.new(request.param, folder / "warehouse")
    write_lake(folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SPARKIFY_DWH_MODELS", str(write_folder(folder / "models")))
        assert load(place, folder) == 0
    write_records(folder / "log_data" / "4.json", play(ts=TS + DAY + 7, userId="7"))
    return place, folder


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_told_with_file_and_line_and_changes_nothing(
    wrong: str, loaded: tuple[Place, Path], models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, lake = loaded
    before = state(place)
    files, code, said = WRONG[wrong]
    write_folder(models, files)
    assert load(place, lake) == code
    told = capsys.readouterr().err.replace("\n", " ")
    assert [words for words in said if words not in told] == []
    assert state(place) == before


def test_stopped_at_any_statement_all_is_as_before(
    tmp_path: Path, lake: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that changes models of every kind, interrupted at each of the statements it makes for them."""
    place = tmp_path / "w.duckdb"
    assert load(place, lake) == 0
    before = state(place)
    text = FILES["people/names.sql"].replace("' '", "'_'")
    write_folder(models, {"people/names.sql": text})
    write_records(lake / "log_data" / "4.json", play(ts=TS + DAY + 7, userId="7"))
    original: Callable[..., Any] = building.execute
    made = 0
    stop_at = 0

    def stops(*arguments: Any) -> Any:
        nonlocal made
        made += 1
        if made > stop_at:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(building, "execute", stops)
    for stop_at in (0, 4, 6):  # noqa: B007 - read in stops
        made = 0
        assert load(place, lake) == 130
        assert state(place) == before
    stop_at = 99
    assert load(place, lake) == 0
    assert read_models(place)["people.names"] != before[1]["people.names"]


def test_a_view_becomes_a_table_and_the_other_way_round(place: Place, lake: Path, models: Path) -> None:
    assert load(place, lake) == 0
    table = "-- materialized: table\n"
    write_folder(
        models,
        {
            "people/names.sql": table + FILES["people/names.sql"],
            "people/plays.sql": FILES["people/plays.sql"].replace(table, ""),
        },
    )
    assert load(place, lake) == 0
    assert read_models(place) == expect_models(place)


def test_what_has_not_changed_is_not_made_again(place: Place, lake: Path, models: Path) -> None:
    assert load(place, lake) == 0
    write_folder(models, {"marts/busy.sql": "-- Another comment.\n" + FILES["marts/busy.sql"].lower()})
    write_folder(models, {"people/names.sql": FILES["people/names.sql"] + "WHERE u.user_id <> '1'\n"})
    assert load(place, lake) == 0  # with no file to load
    made = dict(rows(place, "SELECT model, run_id FROM etl.models"))
    assert made == {
        "marts.z_daily": 1, "marts.busy": 1, "people.names": 2, "people.plays": 2, "marts.a_summary": 2,
    }  # fmt: skip
    assert rows(place, "SELECT mode FROM etl.runs WHERE run_id = 2") == [("models",)]


def test_a_model_without_a_file_is_kept_and_named_until_it_may_be_dropped(
    place: Place, lake: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load(place, lake) == 0
    for name in ("marts/a_summary.sql", "people/plays.sql"):
        (models / name).unlink()
    for name in ("has_a_name", "nobody_listens_all_day"):
        (models / f"checks/{name}.sql").unlink()
    capsys.readouterr()
    assert load(place, lake) == 0
    told = capsys.readouterr().err
    assert "marts.a_summary" in told
    assert "people.plays" in told
    assert len(rows(place, "SELECT * FROM people.plays")) == 2
    assert load(place, lake, "--plan", "--json") == 0
    planned = {each["model"]: each for each in json.loads(capsys.readouterr().out)["plan"]["models"]}
    assert (planned["people.plays"]["state"], planned["people.plays"]["build"]) == ("gone", "kept")
    if engine_of(place) == "redshift":  # where what is stood on cannot be dropped
        write_folder(models, {"people/names.sql": FILES["people/names.sql"].replace("' '", "'_'")})
        assert load(place, lake) == 1
        assert "marts.a_summary" in capsys.readouterr().err
    assert load(place, lake, "--yes") == 0
    assert rows(place, "SELECT COUNT(*) FROM etl.models") == [(3,)]
    left = "SELECT 1 FROM information_schema.tables WHERE table_name IN ('plays', 'a_summary')"
    assert rows(place, left) == []


def test_a_warning_of_yours_publishes_and_is_told_once(place: Place, lake: Path, models: Path) -> None:
    write_records(lake / "log_data" / "4.json", play(ts=TS + DAY + 7, userId="7", lastName=None))
    assert load(place, lake) == 4
    assert load(place, lake) == 0
    assert run(["check", *options_of(place)]) == 0
    checks = rows(place, "SELECT subject FROM etl.checks WHERE check_name = 'checks/has_a_name'")
    assert checks == [("7",)]


def test_the_dry_run_shows_what_is_sent(place: Place, lake: Path, models: Path, capsys: Any) -> None:
    assert load(place, lake, "--plan", "--sql") == 0
    told = capsys.readouterr().out
    assert told.index("CREATE TABLE marts.z_daily") < told.index("CREATE TABLE marts.busy")
    assert load(place, lake) == 0
    capsys.readouterr()
    write_records(lake / "log_data" / "4.json", play(ts=TS + DAY + 7, userId="7"))
    assert load(place, lake, "--plan", "--sql") == 0
    told = capsys.readouterr().out
    assert "DELETE FROM marts.z_daily" in told
    assert "CREATE TABLE marts" not in told


@pytest.mark.parametrize(
    ("line", "by_day"),
    [
        ("FROM songplays AS p", True),
        ("FROM songplays AS p INNER JOIN staging_events AS e ON e.ts = p.session_id", True),
        ("FROM songplays AS p INNER JOIN staging_events AS e ON e.file_id = p.session_id", False),
        ("FROM songplays AS p INNER JOIN (SELECT * FROM staging_events) AS e ON e.ts = 1", False),
        ("FROM songplays AS p INNER JOIN songs AS s ON s.song_id = p.song_id", False),
        ("FROM songplays AS p INNER JOIN analytics.sessions AS s ON s.user_id = p.user_id", False),
        ("FROM songplays AS p INNER JOIN marts.plain AS s ON s.user_id = p.user_id", True),
        ("FROM songplays AS p INNER JOIN marts.known AS s ON s.user_id = p.user_id", False),
        ("FROM songplays AS p INNER JOIN ref.people AS s ON s.user_id = p.user_id", False),
    ],
)
def test_what_changes_on_other_days_than_those_of_a_run_has_a_model_computed_whole(
    tmp_path: Path, line: str, by_day: bool
) -> None:
    head = "-- materialized: incremental\n-- day: day\n-- uses: ref.people\n"
    select = "SELECT CAST(p.start_time AS DATE) AS day, COUNT(*) AS n"
    files = {
        "marts/daily.sql": f"{head}{select}\n{line}\nGROUP BY 1",
        "marts/plain.sql": "SELECT DISTINCT p.user_id FROM songplays AS p",
        "marts/known.sql": "SELECT DISTINCT u.user_id FROM users AS u",
    }
    found = {model.name: model for model in read_folder(str(write_folder(tmp_path, files))).models}
    assert found["marts.daily"].by_day is by_day


def test_a_folder_that_is_not_there_is_an_error_of_the_configuration(
    tmp_path: Path, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARKIFY_DWH_MODELS", str(tmp_path / "nowhere"))
    assert load(tmp_path / "w.duckdb", lake) == 2


def test_names_that_sql_itself_gives_are_no_references(tmp_path: Path) -> None:
    """A WITH in a WITH, one named like a table of ours, functions that return rows, elements of a column."""
    files = {
        "marts/a.sql": "WITH users AS (WITH b AS (SELECT 1 AS x) SELECT x FROM b)\n"
        "SELECT u.x FROM users AS u\n"
        "UNION ALL SELECT g.n FROM GENERATE_SERIES(1, 3) AS g (n)",
        "marts/c.sql": "-- uses: ref.t\nSELECT e FROM ref.t AS t, t.items AS e",
    }
    found = read_folder(str(write_folder(tmp_path, files)))
    assert [model.stands_on for model in found.models] == [(), ()]
    with pytest.raises(ModelError, match="no table b"):
        read_folder(str(write_folder(tmp_path, {"marts/d.sql": "SELECT x FROM b"})))


def test_check_compares_what_is_stored_by_day_with_a_full_build(
    place: Place, lake: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What changes on other days than its own is none for an incremental model: `check` says so."""
    write_folder(
        models,
        {
            "marts/running.sql": "-- materialized: incremental\n-- day: day\n"
            "SELECT d.day, SUM(d.plays) OVER (ORDER BY d.day ROWS UNBOUNDED PRECEDING) AS plays\n"
            "FROM (SELECT CAST(p.start_time AS DATE) AS day, COUNT(*) AS plays FROM songplays AS p\n"
            "GROUP BY CAST(p.start_time AS DATE)) AS d;  -- of all days until then\n-- The end.\n"
        },
    )
    assert load(place, lake) == 0
    assert run(["check", *options_of(place)]) == 0
    write_records(lake / "log_data" / "4.json", play(ts=TS + DAY + 7, userId="7"))
    assert load(place, lake) == 0
    capsys.readouterr()
    assert run(["check", *options_of(place)]) == 3
    assert "marts.running:by_day" in capsys.readouterr().err
    assert load(place, lake, "--full-refresh") == 0
    # A model that is not there yet is named, and its checks are left out.
    write_folder(models, {"marts/later.sql": "-- grain: user_id\nSELECT user_id FROM users"})
    capsys.readouterr()
    assert run(["check", *options_of(place)]) == 0
    assert "marts.later" in capsys.readouterr().err


def test_an_upgrade_makes_them_anew(place: Place, lake: Path, models: Path) -> None:
    """Views of theirs stand on views of ours, which the upgrade drops."""
    write_folder(models, {"marts/on_ours.sql": "SELECT a.day, a.people FROM analytics.daily_activity AS a"})
    assert load(place, lake) == 0
    other = "REPLACE(models_digest, 'analytics.funnel=', 'analytics.funnel=0')"
    execute(place, f"UPDATE etl.meta SET models_digest = {other}")
    assert run(["upgrade", *options_of(place)]) == 0
    assert read_models(place) == expect_models(place)
    assert len(rows(place, "SELECT * FROM marts.on_ours")) == 3
    assert rows(place, "SELECT COUNT(*) FROM etl.models WHERE run_id = 2") == [(6,)]
    # One whose file is gone goes with the upgrade if it is a view.
    (models / "marts" / "on_ours.sql").unlink()
    execute(place, f"UPDATE etl.meta SET models_digest = {other}")
    assert run(["upgrade", *options_of(place)]) == 0
    assert rows(place, "SELECT COUNT(*) FROM etl.models") == [(5,)]


@pytest.mark.parametrize("stop_at", [1, 4])
def test_killed_while_they_are_built_all_is_as_before(
    tmp_path: Path, lake: Path, models: Path, stop_at: int
) -> None:
    place = tmp_path / "w.duckdb"
    assert load(place, lake) == 0
    before = state(place)
    write_folder(models, {"people/names.sql": FILES["people/names.sql"].replace("' '", "'_'")})
    write_records(lake / "log_data" / "4.json", play(ts=TS + DAY + 7, userId="7"))
    code = f"""
import os, signal
from sparkify.custom import building
from sparkify.cli.app import run
real, made = building.execute, []
def execute(*arguments):
    made.append(1)
    if len(made) > {stop_at}:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments)
building.execute = execute
run(["etl", *{options_of(place)!r}, "--log-data", {str(lake / "log_data")!r}])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert state(place) == before
    assert load(place, lake) == 0
    assert read_models(place)["people.names"] != before[1]["people.names"]


@pytest.mark.thorough
def test_the_real_month_gives_the_same_on_both_engines(
    warehouses: Warehouses, tmp_path: Path, real_data: Path, models: Path
) -> None:
    """In halves, the later first."""
    found = []
    for engine in ENGINES:
        place = warehouses.new(engine, tmp_path / engine)
        later = tmp_path / engine / "log_data"
        shutil.copytree(real_data / "log_data", later)
        logs = sorted(later.rglob("*.json"))
        for path in logs[: len(logs) // 2]:
            path.unlink()
        assert etl(place, later) == 0
        assert etl(place, real_data / "log_data", real_data / "song_data") == 0
        built = read_models(place)
        assert built == expect_models(place)
        found.append(built)
    assert found[0] == found[1]


def test_a_run_that_does_not_know_of_them_leaves_nothing_behind_for_good(
    place: Place,
    lake: Path,
    models: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert load(place, lake) == 0
    write_records(lake / "log_data" / "4.json", play(ts=TS + DAY + 7, userId="7"))
    with monkeypatch.context() as patched:
        patched.delenv("SPARKIFY_DWH_MODELS")
        assert load(place, lake) == 0
    assert "marts.z_daily" in capsys.readouterr().err
    assert read_models(place) != expect_models(place)
    assert load(place, lake) == 0  # with nothing to load
    assert read_models(place) == expect_models(place)
    capsys.readouterr()
    assert load(place, lake) == 0
    assert "Nothing to do" in capsys.readouterr().out
