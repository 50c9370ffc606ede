"""Redshift over the Data API: the whole pipeline, as over the driver; and what only the Data API says."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkify.cli.app import run
from sparkify.cli.options import logins_of
from sparkify.errors import ConfigError, EngineError, TransientEngineError
from sparkify.pipeline import retry
from sparkify.warehouse.connect import open_engine, open_session
from sparkify.warehouse.redshift import data_api
from sparkify.warehouse.redshift.data_api import MOST_BYTES
from sparkify.warehouse.redshift.session import RedshiftSession
from tests.contents import hash_tables
from tests.data_api import data_api_of, over_data_api, session_at
from tests.loading import etl
from tests.records import TS, play, song, write_records
from tests.tiers import sweep
from tests.warehouses import OnRedshift, Warehouses, options_of
from tools.redshift_double import Fault
from tools.redshift_double.data_api import DataApi
from tools.redshift_double.faults import FaultKind


@pytest.fixture
def api(warehouses: Warehouses, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataApi]:
    monkeypatch.setattr(retry, "PAUSES", (0.0,) * 4)
    monkeypatch.setattr(data_api, "PAUSES", (0.0,) * 7)
    with data_api_of(warehouses, monkeypatch) as api:
        yield api


@pytest.fixture
def place(api: DataApi, warehouses: Warehouses, tmp_path: Path) -> Iterator[OnRedshift]:
    with over_data_api(warehouses, tmp_path / "place") as place:
        yield place


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    lake = tmp_path / "lake"
    write_records(lake / "song_data" / "1.json", song(title='Ti"tle, ü'))
    write_records(lake / "log_data" / "1.json", play(song='Ti"tle, ü'), play(ts=TS + 5, length=None))
    bad = write_records(lake / "log_data" / "2.json", play(ts=TS + 9, userId="2"))
    bad.write_text(bad.read_text() + "no JSON\n")
    return lake


def load(place: OnRedshift, lake: Path, *options: str) -> int:
    return etl(place, lake / "log_data", lake / "song_data", "--max-rejects", "9", *options)


@pytest.fixture
def driver(warehouses: Warehouses, tmp_path: Path) -> Iterator[OnRedshift]:
    """Another warehouse, reached by the driver."""
    with warehouses.temporary("redshift", tmp_path / "driver") as driver:
        assert isinstance(driver, OnRedshift)
        yield driver


def same(place: OnRedshift, other: OnRedshift) -> bool:
    return hash_tables(place, file_ids=True) == hash_tables(other, file_ids=True)


# the pipeline


def test_a_load_is_the_same_as_over_the_driver(place: OnRedshift, driver: OnRedshift, lake: Path):
    assert load(place, lake) == load(driver, lake) == 0
    assert same(place, driver)


@pytest.mark.thorough
def test_so_are_undo_refresh_check_and_queries(
    place: OnRedshift, driver: OnRedshift, lake: Path, capsys: pytest.CaptureFixture[str]
):
    questions = (
        ["check"],
        ["query", "SELECT * FROM songplays ORDER BY start_time", "--format", "json"],
        ["query", "SELECT day, AVG(plays), SUM(plays) / 3.0 FROM etl.days GROUP BY day", "--format", "csv"],
        ["rejects", "show", "--limit", "5"],
    )

    def said(place: OnRedshift, *question: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run([*question, *options_of(place)])
        return code, capsys.readouterr().out.replace(str(place.config), "CFG").replace(place.name, "W")

    for step in (
        lambda place: load(place, lake),
        lambda place: run(["undo", "1", "--yes", *options_of(place)]),
        lambda place: load(place, lake, "--full-refresh"),
    ):
        assert step(place) == step(driver)
        assert same(place, driver)
        for question in questions:
            assert said(place, *question) == said(driver, *question), question


@pytest.mark.thorough
def test_without_staging_records_come_as_literals_that_fit(
    api: DataApi, place: OnRedshift, driver: OnRedshift, tmp_path: Path, lake: Path
):
    for each in (place, driver):
        each.config.write_text(each.config.read_text().partition("STAGING")[0])
    titles = [song(song_id=f"SO{number}", title="ü" * 400) for number in range(300)]
    write_records(lake / "song_data" / "many.json", *titles)
    for each in (place, driver):
        assert etl(each, None, lake / "song_data") == 0
    assert same(place, driver)
    sizes = [len(each.sql.encode()) for each in api.submitted if "'SO1" in each.sql or "'SO2" in each.sql]
    assert len(sizes) > 2
    assert MOST_BYTES * 0.9 < max(sizes) <= MOST_BYTES


@pytest.mark.thorough
def test_boto3_that_cannot_wait_asks_again_and_again(
    api: DataApi, place: OnRedshift, driver: OnRedshift, lake: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(data_api, "_lets_wait", lambda _: False)
    monkeypatch.setattr(data_api, "_POLLS", (0.001, 0.01))
    assert load(place, lake) == load(driver, lake) == 0
    assert same(place, driver)
    assert api.calls["DescribeStatement"] >= api.calls["ExecuteStatement"] - 1


def test_results_of_many_pages(api: DataApi, place: OnRedshift):
    api.page_rows = 7
    with session_at(place) as session:
        sql = "SELECT a.n * 10 + b.n FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) "
        sql = "SELECT 1 AS n UNION ALL SELECT 2 AS n UNION ALL SELECT 3 AS n"
        sql = f"SELECT a.n * 9 + b.n * 3 + c.n FROM ({sql}) a, ({sql}) b, ({sql}) c ORDER BY 1"
        assert [row[0] for row in session.send(sql, "numbers")[1]] == list(range(13, 40))
        columns, rows = session.stream(sql, "numbers")
        assert next(rows) == (13,)
        # The rest waits at AWS: another statement may come between.
        assert session.send("SELECT 1", "another")[1] == [(1,)]
        assert len(list(rows)) == 26
    assert columns[0][1] == 23


# faults


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("kind", "match"),
    [
        ("snapshot_conflict", "INSERT INTO songplays"),
        ("drop_before", "(?m)^LOCK"),
        ("drop_after", "(?m)^COMMIT"),
    ],
)
def test_a_fault_repeats_the_run_and_nothing_is_lost_or_twice(
    place: OnRedshift, driver: OnRedshift, lake: Path, kind: FaultKind, match: str
):
    assert load(driver, lake) == 0
    assert run(["create-tables", *options_of(place)]) == 0
    place.server.faults.arm(Fault(kind, match=match))
    assert load(place, lake) == 0
    assert place.server.faults.armed == 0
    assert same(place, driver)


@pytest.mark.thorough
@pytest.mark.parametrize("match", ["(?m)^COMMIT", "INSERT INTO songplays", "run_events"])
def test_a_session_that_has_ended_is_a_lost_connection(
    api: DataApi, place: OnRedshift, driver: OnRedshift, lake: Path, match: str
):
    assert load(driver, lake) == 0
    assert run(["create-tables", *options_of(place)]) == 0
    api.end_before = match
    assert load(place, lake) == 0
    assert api.end_before == ""
    assert same(place, driver)


def test_a_session_that_has_ended_before_commit_says_what_to_do(api: DataApi, place: OnRedshift):
    with session_at(place) as session:
        session.send("CREATE TABLE t (a INT)", "a table")
        api.end_before = "(?m)^COMMIT"
        with (
            pytest.raises(TransientEngineError, match="was lost at COMMIT: the session of") as caught,
            session.transaction("redshift/begin.sql", keep=True),
        ):
            session.send("INSERT INTO t (a) VALUES (1)", "a row")
        assert "sparkify runs" in caught.value.hint
        number = session.number
        assert session.send("SELECT COUNT(*) FROM t", "a look")[1] == [(0,)]
        assert session.number == number + 1


@pytest.mark.thorough
def test_locks_are_held_for_minutes_where_a_process_is_killed(api: DataApi, place: OnRedshift, lake: Path):
    """Each statement says how long its session may be idle; a killed process says nothing any more."""
    assert run(["create-tables", *options_of(place)]) == 0
    api.submitted.clear()
    assert load(place, lake) == 0
    texts = [each.sql.splitlines()[-1] for each in api.submitted]
    first, last = texts.index("LOCK etl.runs"), texts.index("COMMIT")
    assert {each.keeps for each in api.submitted[first:last]} == {data_api.IDLE_SECONDS_WITH_LOCKS}
    assert api.submitted[last].keeps == data_api.IDLE_SECONDS
    assert api.submitted[-1].keeps == 1
    deadline = time.monotonic() + 10
    while api.sessions:
        assert time.monotonic() < deadline, "the session of a run that has ended stays"
        time.sleep(0.05)


PUT_OFF = ("ThrottlingException", "InternalServerException", "ActiveWaitingRequestsExceededException")
CALLS = ("ExecuteStatement", "DescribeStatement", "GetStatementResult")


@pytest.mark.parametrize(("operation", "code"), sweep(product(CALLS, PUT_OFF), 4))
def test_a_call_that_is_put_off_is_made_again(api: DataApi, place: OnRedshift, operation: str, code: str):
    with session_at(place) as session:
        session.open()
        place.server.faults.arm(Fault("refuse", match="SELECT 2"))
        api.refusals[operation] = [(code, "Rate exceeded")] * 3
        assert session.send("SELECT 1", "a look")[1] == [(1,)]
        with pytest.raises(EngineError, match="refused by the test"):
            session.send("SELECT 2", "a look")
        assert api.refusals[operation] == []
        assert [each.sql for each in api.submitted].count("SELECT 1") == 1


def test_no_session_free_is_an_error_that_passes(api: DataApi, place: OnRedshift):
    api.most_sessions = 0
    with session_at(place) as session, pytest.raises(TransientEngineError, match="no more statements"):
        session.open()


# interrupts


class Interrupting:
    """A client whose operation is interrupted once, before or after AWS has heard."""

    def __init__(self, client: Any, operation: str, *, heard: bool) -> None:
        self._client = client
        self._operation = operation
        self._heard = heard
        self._once = True

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._client, name)
        if name != self._operation or not self._once:
            return real

        def interrupted(**request: Any) -> Any:
            if request.get("Sql", "SELECT 'slow'") != "SELECT 'slow'":
                return real(**request)
            self._once = False
            if self._heard:
                real(**request)
            raise KeyboardInterrupt

        return interrupted


@pytest.mark.thorough
@pytest.mark.parametrize(("operation", "heard"), [("execute_statement", True), ("describe_statement", False)])
def test_an_interrupt_cancels_the_statement_and_ends_the_session(
    api: DataApi, place: OnRedshift, monkeypatch: pytest.MonkeyPatch, operation: str, heard: bool
):
    """Also one whose number had not arrived: the same request, sent again, is the same statement."""
    monkeypatch.setattr(data_api, "_FIRST_WAIT", 1)
    settings_ = place.settings()
    logins = logins_of(settings_)
    assert logins.data_api

    def login() -> Any:
        assert logins.data_api
        found = logins.data_api()
        return found._replace(client=Interrupting(found.client, operation, heard=heard))

    session = open_session(settings_, replace(logins, data_api=login))
    session.open()
    place.server.faults.arm(Fault("slow", match="slow", seconds=30))
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), session.transaction("redshift/begin.sql", keep=True):
        session.send("SELECT 'slow'", "a look")
    assert time.monotonic() - started < 8
    (slow,) = [each for each in api.submitted if each.sql == "SELECT 'slow'"]
    deadline = time.monotonic() + 10
    while slow.status == "STARTED" or api.sessions:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert slow.status == "ABORTED"
    session.close()


@contextmanager
def publishing(
    api: DataApi, place: OnRedshift, lake: Path, seconds: float
) -> Iterator[subprocess.Popen[str]]:
    """Run the command itself, to a statement of its publication that takes so long."""
    place.server.faults.arm(Fault("slow", match="INSERT INTO songplays", seconds=seconds))
    sources = ["--log-data", str(lake / "log_data"), "--song-data", str(lake / "song_data")]
    command = [sys.executable, "-m", "sparkify", "etl", "--max-rejects", "9", *sources, *options_of(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not any("INSERT INTO songplays" in each.sql for each in api.submitted):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.3)
        yield process


@pytest.mark.thorough
def test_ctrl_c_in_the_middle_of_a_publication_rolls_back_at_once(
    api: DataApi, place: OnRedshift, driver: OnRedshift, lake: Path
):
    """The command ends before its statement would, and its lock is gone."""
    assert load(driver, lake) == 0
    assert run(["create-tables", *options_of(place)]) == 0
    with publishing(api, place, lake, 60) as process:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 130, said
    assert "stopping: rolling back" in said
    assert load(place, lake) == 0
    assert same(place, driver)


@pytest.mark.thorough
def test_a_killed_process_holds_its_lock_until_its_session_ends(
    api: DataApi, place: OnRedshift, driver: OnRedshift, lake: Path
):
    """The next run waits for it, and finishes the job."""
    assert load(driver, lake) == 0
    assert run(["create-tables", *options_of(place)]) == 0
    with publishing(api, place, lake, 1) as process:
        process.kill()
    place.server.faults.clear()
    assert [each.keeps for each in api.sessions] == [data_api.IDLE_SECONDS_WITH_LOCKS]
    idle = Timer(4, api.end_idle_sessions)
    idle.start()
    started = time.monotonic()
    assert load(place, lake) == 0
    idle.join()
    assert time.monotonic() - started > 3
    assert same(place, driver)


# what is refused


def test_a_statement_that_is_too_long_says_what_to_do(place: OnRedshift, capsys: pytest.CaptureFixture[str]):
    assert run(["create-tables", *options_of(place)]) == 0
    capsys.readouterr()
    assert run(["query", f"SELECT '{'x' * MOST_BYTES}'", *options_of(place)]) == 1
    said = capsys.readouterr().err
    assert (
        f"the query has {MOST_BYTES + 9:,} bytes, and the Data API takes {MOST_BYTES:,} in a statement"
        in said
    )
    assert "SPARKIFY_CLUSTER_TRANSPORT=driver" in said


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("DB_NAME = w", "DB_NAME = nowhere_w"), "there is no database nowhere_w"),
        (("DB_USER = awsuser", "DB_USER = nobody"), "does not let nobody in"),
        (
            ("[CLUSTER]", "[DWH]\nDWH_CLUSTER_IDENTIFIER = other\n[CLUSTER]"),
            "refused the login for cluster other",
        ),
    ],
)
def test_a_login_that_is_refused_says_why(api: DataApi, place: OnRedshift, change: tuple[str, str], why: str):
    api.targets = frozenset({"sparkify"})
    place.config.write_text(place.config.read_text().replace(*change))
    with session_at(place) as session, pytest.raises(EngineError, match=why) as caught:
        session.open()
    assert caught.value.hint


def test_doctor_goes_the_way_and_asks_no_port(place: OnRedshift, capsys: pytest.CaptureFixture[str]):
    run(["doctor", *options_of(place)])
    said = capsys.readouterr().out
    assert "ok    data api       no open port is needed: cluster sparkify in us-west-2, as awsuser" in said
    assert "lets awsuser in" in said
    assert "create, read and write" in said
    assert " port  " not in said


def test_without_a_user_aws_derives_one_and_doctor_says_whom(api: DataApi, place: OnRedshift):
    """On Serverless: a user of its own, who may do nothing until somebody grants it."""
    found = place.settings()
    logins = logins_of(found)
    assert logins.data_api
    login = logins.data_api()._replace(target={"WorkgroupName": "sparkify"}, user="")
    engine = open_engine(found, logins=replace(logins, data_api=lambda: login))
    _, log_in, privileges = engine.probe()
    assert log_in.attempt() == f"database {place.name} lets IAMR:etl in"
    with pytest.raises(EngineError, match="CREATE on the database"):
        privileges.attempt()
    engine.close()


@pytest.mark.thorough
def test_the_questions_of_a_proof_have_the_same_answers(
    place: OnRedshift, capsys: pytest.CaptureFixture[str]
):
    assert run(["prove", "--yes", "--events", "0", *options_of(place)]) == 0
    assert "questions answered as expected" in capsys.readouterr().out


def test_no_host_is_needed(place: OnRedshift, lake: Path, capsys: pytest.CaptureFixture[str]):
    config = place.config.read_text().replace("HOST = localhost\n", "")
    place.config.write_text(f"[DWH]\nENGINE = redshift\n{config}")
    assert run(["check", *options_of(place)]) == 1
    assert f"the tables are missing in {place.name} on sparkify." in capsys.readouterr().err
    assert etl(place, lake / "log_data", None, "--plan") == 0


def test_an_endpoint_that_does_not_answer_is_named(place: OnRedshift, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_REDSHIFT_DATA", "http://127.0.0.1:1")
    with session_at(place) as session, pytest.raises(EngineError, match="cannot be reached") as caught:
        session.open()
    assert "interface endpoint for redshift-data" in caught.value.hint


def test_without_what_asks_aws_it_is_said(place: OnRedshift):
    with pytest.raises(ConfigError, match="nobody asks AWS"):
        open_engine(place.settings())


def test_another_cluster_in_host_is_refused(place: OnRedshift, capsys: pytest.CaptureFixture[str]):
    host = "prod.abc.us-west-2.redshift.amazonaws.com"
    place.config.write_text(place.config.read_text().replace("HOST = localhost", f"HOST = {host}"))
    assert run(["check", *options_of(place)]) == 2
    assert "DWH_CLUSTER_IDENTIFIER = prod" in capsys.readouterr().err


# values


@pytest.fixture(scope="module")
def sessions(
    warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RedshiftSession, RedshiftSession]]:
    """A session of the Data API, and one of the driver."""
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        data_api_of(warehouses, monkeypatch),
        over_data_api(warehouses, tmp_path_factory.mktemp("values")) as place,
        warehouses.temporary("redshift", tmp_path_factory.mktemp("driver")) as driver,
    ):
        assert isinstance(driver, OnRedshift)
        with session_at(place) as one, session_at(driver) as other:
            yield one, other


MOMENTS = st.datetimes(datetime(1583, 1, 1), datetime(9999, 12, 31))  # noqa: DTZ001 - a zone is added
VALUES = st.one_of(
    st.none().map(lambda _: "CAST(NULL AS BIGINT)"),
    st.booleans().map(lambda value: f"CAST({str(value).upper()} AS BOOLEAN)"),
    st.integers(-(2**15), 2**15 - 1).map(lambda value: f"CAST('{value}' AS SMALLINT)"),
    st.integers(-(2**31), 2**31 - 1).map(lambda value: f"CAST('{value}' AS INTEGER)"),
    st.integers(-(2**63), 2**63 - 1).map(lambda value: f"CAST('{value}' AS BIGINT)"),
    st.decimals(-(10**12), 10**12, places=4).map(lambda value: f"CAST('{value}' AS NUMERIC(20, 4))"),
    st.floats(width=32, allow_subnormal=False).map(lambda value: f"CAST('{value!r}' AS REAL)"),
    st.floats(allow_subnormal=False).map(lambda value: f"CAST('{value!r}' AS DOUBLE PRECISION)"),
    st.text(st.characters(exclude_characters="\0'\\", codec="utf-8"), max_size=40).map(
        lambda value: f"CAST('{value}' AS VARCHAR(400))"
    ),
    st.text("ab ", max_size=3).map(lambda value: f"CAST('{value}' AS CHAR(5))"),
    MOMENTS.map(lambda value: f"CAST('{value.date()}' AS DATE)"),
    MOMENTS.map(lambda value: f"CAST('{value}' AS TIMESTAMP)"),
    MOMENTS.map(lambda value: f"CAST('{value}{'+05:30' if value.day % 2 else '-03'}' AS TIMESTAMPTZ)"),
    st.sampled_from(["'infinity'", "'-infinity'"]).map(lambda text: f"CAST({text} AS TIMESTAMP)"),
    st.just("COUNT(*)"),
    st.just("'text'"),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(values=st.lists(VALUES, min_size=1, max_size=12))
def test_values_and_types_are_those_of_the_driver(
    sessions: tuple[RedshiftSession, RedshiftSession], values: list[str]
):
    sql = "SELECT " + ", ".join(f'{value} AS "c{number}"' for number, value in enumerate(values))
    (columns, (found,)), (wanted_columns, (wanted,)) = (each.send(sql, "values") for each in sessions)
    assert columns == wanted_columns
    assert [type(value) for value in found] == [type(value) for value in wanted]
    for value, other in zip(found, wanted, strict=True):
        assert value == other or (math.isnan(value) and math.isnan(other))
        assert getattr(value, "tzinfo", None) == getattr(other, "tzinfo", None)
        if isinstance(value, Decimal):
            assert str(value) == str(other)


def test_known_values_by_hand(sessions: tuple[RedshiftSession, RedshiftSession]):
    sql = (
        "SELECT CAST(1.50 AS NUMERIC(5, 2)) AS a, CAST('2018-11-01 21:01:46.796' AS TIMESTAMP) AS b, "
        "CAST('2018-11-01 21:01:46+02' AS TIMESTAMPTZ) AS c, CAST('2018-11-01' AS DATE) AS d, "
        "CAST(0.1 AS REAL) AS e"
    )
    columns, ((a, b, c, d, e),) = sessions[0].send(sql, "values")
    assert columns == [("a", 1700), ("b", 1114), ("c", 1184), ("d", 1082), ("e", 700)]
    assert (str(a), b, d) == ("1.50", datetime(2018, 11, 1, 21, 1, 46, 796000), date(2018, 11, 1))  # noqa: DTZ001
    assert (c, c.utcoffset()) == (datetime(2018, 11, 1, 19, 1, 46, tzinfo=UTC), timedelta(0))
    assert e == 0.10000000149011612
