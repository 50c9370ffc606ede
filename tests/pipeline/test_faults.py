"""Whatever goes wrong between us and a cluster, at whichever statement: tried again, and loaded once."""

from __future__ import annotations

import gc
import json
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sparkify.cli.app import run
from sparkify.cli.screen import Progress
from sparkify.errors import SparkifyError, TransientEngineError
from sparkify.pipeline import retry
from sparkify.pipeline.etl_run import RunOptions, run_etl
from sparkify.pipeline.plan import open_sources
from sparkify.pipeline.threshold import MaxRejects
from sparkify.settings import load_settings
from sparkify.warehouse.connect import open_engine
from sparkify.warehouse.redshift.copying import CopyLoader, CopySource
from sparkify.warehouse.redshift.driver_transport import DriverTransport
from sparkify.warehouse.redshift.redshift_engine import RedshiftEngine
from sparkify.warehouse.redshift.session import RedshiftSession
from sparkify.warehouse.statements import Statement
from tests.contents import hash_tables, read_tables
from tests.loading import etl
from tests.oracle import expect
from tests.records import TS, play, song, write_records
from tests.tiers import PROFILE, by_profile, sweep
from tests.warehouses import OnRedshift, Warehouses, open_place, rows
from tools.redshift_double import Fault
from tools.redshift_double.faults import FaultKind

KINDS: tuple[FaultKind, ...] = (
    "snapshot_conflict",
    "drop_before",
    "serialization",
    "drop_after",
    "relation_gone",
)
SONGS = [song(), song(song_id="SO2", title="Other", year=0)]
EVENTS = [play(), play(ts=TS + 1, page="Home"), play(ts=TS + 2, song="Other", userId="2")]
AFTER = expect([*EVENTS, play(ts=TS + 3)], SONGS)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file as it should be, one with a bad line, and songs: every way there is is taken."""
    lake = tmp_path_factory.mktemp("lake")
    write_records(lake / "song_data" / "1.json", SONGS[0])
    write_records(lake / "song_data" / "both.json", SONGS[1])
    write_records(lake / "log_data" / "1.json", *EVENTS)
    bad = write_records(lake / "log_data" / "2.json", play(ts=TS + 3))
    bad.write_text(bad.read_text() + "no JSON\n")
    return lake


@pytest.fixture
def place(warehouses: Warehouses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OnRedshift]:
    monkeypatch.setattr(retry, "PAUSES", (0.0,) * 4)
    with warehouses.temporary("redshift", tmp_path) as place:
        assert isinstance(place, OnRedshift)
        yield place
        place.server.faults.clear()


def load(place: OnRedshift, lake: Path, *options: str) -> int:
    return etl(place, lake / "log_data", lake / "song_data", "--max-rejects", "5", *options)


def loaded_once(place: OnRedshift) -> None:
    """Everything is there, in one run, and every file of it once."""
    assert read_tables(place) == AFTER
    assert rows(place, "SELECT status, COUNT(*) FROM etl.runs GROUP BY status") == [("done", 1)]
    assert rows(place, "SELECT COUNT(*), COUNT(DISTINCT uri) FROM etl.files") == [(4, 4)]
    assert rows(place, "SELECT COUNT(*) FROM etl.rejects") == [(1,)]


@pytest.fixture(scope="module")
def statements(warehouses: Warehouses, lake: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many statements a run sends until it has committed."""
    with warehouses.temporary("redshift", tmp_path_factory.mktemp("count")) as place:
        assert isinstance(place, OnRedshift)
        place.server.statements.clear()
        assert load(place, lake) == 0
        sent = [entry.sql for entry in place.server.statements]
    return max(number for number, sql in enumerate(sent, 1) if sql.endswith("COMMIT"))


@pytest.mark.parametrize("tenth", sweep(range(10), 10))
def test_a_fault_at_each_statement_is_passed_over(
    place: OnRedshift, warehouses: Warehouses, lake: Path, statements: int, tenth: int
):
    """A conflict, a connection cut before, one cut after: one of them at each; all, for a release."""
    for at in range(1 + tenth, statements + 1, 10):
        for number, kind in enumerate(KINDS):
            if PROFILE != "release" and (at // 10 + tenth) % len(KINDS) != number:
                continue
            warehouses.empty(place)
            place.server.faults.arm(Fault(kind, at=at))
            assert load(place, lake) == 0, (kind, at)
            place.server.faults.clear()
            loaded_once(place)


@pytest.mark.parametrize("kind", sweep(KINDS, 3))
def test_so_it_is_where_files_are_replaced(
    place: OnRedshift, warehouses: Warehouses, tmp_path: Path, kind: FaultKind
):
    """A later run, whose files are new versions of others: some of its statements, all for a release."""
    wanted = expect([play(userId="7"), play(ts=TS + 3)], [song(title="New")])

    def before() -> None:
        warehouses.empty(place)
        write_records(tmp_path / "lake" / "song_data" / "1.json", SONGS[0])
        write_records(tmp_path / "lake" / "log_data" / "1.json", *EVENTS)
        write_records(tmp_path / "lake" / "log_data" / "2.json", play(ts=TS + 3))
        assert load(place, tmp_path / "lake") == 0
        write_records(tmp_path / "lake" / "song_data" / "1.json", song(title="New"))
        write_records(tmp_path / "lake" / "log_data" / "1.json", play(userId="7"))

    before()
    place.server.faults.arm()
    assert load(place, tmp_path / "lake") == 0
    sent = place.server.faults.count
    for at in range(1 + KINDS.index(kind), sent - 10, by_profile(24, 13, 1)):
        before()
        place.server.faults.arm(Fault(kind, at=at))
        assert load(place, tmp_path / "lake") == 0, at
        place.server.faults.clear()
        assert read_tables(place) == wanted, at
        states = "SELECT state, COUNT(*) FROM etl.files GROUP BY state ORDER BY state"
        assert rows(place, states) == [("loaded", 3), ("replaced", 2)], at


def test_a_fault_that_stays_gives_up_and_the_next_run_finishes(place: OnRedshift, lake: Path):
    place.server.faults.arm(Fault("drop_before", match="INSERT INTO songplays", times=100))
    assert load(place, lake) == 1
    assert all(not found for found in read_tables(place).values())
    place.server.faults.clear()
    assert load(place, lake) == 0
    loaded_once(place)


def test_a_password_that_is_changed_under_a_run_is_tried_twice_at_most(
    place: OnRedshift, lake: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """Not once in each of the four tries: five wrong ones lock the user."""
    logins: list[bool] = []
    admits = place.server.admits

    def changed(user: str, *, right: bool) -> bool:
        logins.append(admits(user, right=right and not logins))
        return logins[-1]

    monkeypatch.setattr(place.server, "admits", changed)
    place.server.faults.arm(Fault("drop_before", match="INSERT INTO songplays"))
    with warnings.catch_warnings():
        # The driver does not close the connection of a login that is refused.
        warnings.simplefilter("ignore", ResourceWarning)
        assert load(place, lake) == 1
        caplog.clear()  # its records hold the error, and so the connection
        gc.collect()
    assert logins[0]
    assert 1 <= logins.count(False) <= 2
    place.server.failed_logins.clear()


def test_a_commit_whose_answer_is_lost_is_found_done(
    place: OnRedshift, lake: Path, capsys: pytest.CaptureFixture[str]
):
    assert run(["create-tables", "--config", str(place.config)]) == 0
    place.server.faults.arm(Fault("drop_after", match="COMMIT$"))
    capsys.readouterr()
    assert load(place, lake, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [(run["run_id"], run["rows_loaded"]) for run in told["runs"]] == [(1, 6)]
    assert told["tables"]["songplays"] == 3
    assert len(told["checks"]) >= 6
    loaded_once(place)


def test_it_is_found_done_although_the_connection_is_lost_again(
    place: OnRedshift, lake: Path, capsys: pytest.CaptureFixture[str]
):
    assert run(["create-tables", "--config", str(place.config)]) == 0
    lost = Fault("drop_after", match="COMMIT$"), Fault("drop_before", match="started_at = ")
    place.server.faults.arm(*lost)
    capsys.readouterr()
    assert load(place, lake, "--json") == 0
    assert [each["run_id"] for each in json.loads(capsys.readouterr().out)["runs"]] == [1]
    loaded_once(place)


def test_no_new_session_goes_on_with_a_transaction_that_is_lost(place: OnRedshift):
    """What a caller does with the error of a lost connection cannot make half a transaction of it."""
    engine = open_place(place)
    place.server.faults.arm(Fault("drop_before", match="SELECT 1 AS lost"))

    def write_on() -> None:
        with engine.writing():
            with pytest.raises(TransientEngineError):
                engine.execute(Statement("SELECT 1 AS lost", "a test", 1))
            engine.execute(Statement("INSERT INTO songs (song_id, artist_id) VALUES ('S', 'A')", "a test", 1))

    with pytest.raises(TransientEngineError):
        write_on()
    assert rows(place, "SELECT * FROM songs") == []
    engine.close()


def test_batches_go_on_after_the_one_whose_commit_got_no_answer(place: OnRedshift, lake: Path):
    assert run(["create-tables", "--config", str(place.config)]) == 0
    place.server.faults.arm(Fault("drop_after", match="COMMIT$"), Fault("drop_before", match="COMMIT$"))
    assert load(place, lake, "--batch-bytes", "1") == 0
    assert read_tables(place) == AFTER
    assert rows(place, "SELECT COUNT(*), COUNT(DISTINCT uri), MAX(run_id) FROM etl.files") == [(4, 4, 4)]


def test_what_is_taken_out_is_taken_out_once(place: OnRedshift, lake: Path):
    assert load(place, lake) == 0
    place.server.faults.arm(Fault("drop_after", match="COMMIT$"))
    uri = str(lake / "log_data" / "1.json")
    assert run(["retract", uri, "--yes", "--config", str(place.config)]) == 0
    assert rows(place, "SELECT MAX(run_id) FROM etl.runs") == [(2,)]
    assert read_tables(place)["songplays"].total() == 1
    place.server.faults.arm(Fault("drop_before", match="COMMIT$"), Fault("drop_after", match="COMMIT$"))
    assert run(["retract", "--back", f"{lake}/**", "--yes", "--config", str(place.config)]) == 0
    assert rows(place, "SELECT MAX(run_id) FROM etl.runs") == [(3,)]
    assert rows(place, "SELECT state FROM etl.files WHERE uri = " + f"'{uri}'") == [("undone",)]


def test_a_server_that_never_answers_is_given_up(place: OnRedshift, lake: Path):
    """No answer, no end of the connection: the wait ends, and the run is tried again."""
    settings = place.settings()
    who = settings.cluster.db_user, str(settings.cluster.db_password)
    transport = DriverTransport(settings.cluster, lambda: who, answer_seconds=0.6)
    session = RedshiftSession(transport, statement_timeout=0.3)
    engine = RedshiftEngine(session, place.name, CopyLoader(session, CopySource(), None))
    place.server.faults.arm(Fault("hang", match="pg_tables"))
    started = time.monotonic()
    with pytest.raises(TransientEngineError, match="was lost"), engine.reading():
        engine.tables()
    assert time.monotonic() - started < 5
    with engine.reading():
        assert isinstance(engine.tables(), set)
    engine.close()


def test_two_runs_at_once_load_everything_once(place: OnRedshift, lake: Path):
    """Both have planned the same files; the second to publish sees what the first did, and does nothing."""
    barrier = threading.Barrier(2, timeout=60)
    failures: list[SparkifyError] = []

    class Meeting(Progress):
        met = False

        def __call__(self, **told: object) -> None:
            if str(told.get("label", "")).startswith("reading events") and not self.met:
                self.met = True
                barrier.wait()

    def load_once() -> None:
        flags = {"S3.LOG_DATA": str(lake / "log_data"), "S3.SONG_DATA": str(lake / "song_data")}
        sources = open_sources(load_settings(place.config, {}, flags))
        engine = open_place(place)
        try:
            run_etl(engine, sources, Meeting("reading"), RunOptions(max_rejects=MaxRejects(5)))
        except SparkifyError as exc:
            failures.append(exc)
        finally:
            engine.close()

    threads = [threading.Thread(target=load_once) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []
    loaded_once(place)


def test_a_run_that_queues_up_says_so(place: OnRedshift, lake: Path, monkeypatch: pytest.MonkeyPatch):
    """A person learns why nothing moves: here the other run lets go when that was told, and not before."""
    assert load(place, lake) == 0
    monkeypatch.setattr("sparkify.warehouse.redshift.redshift_engine._SECONDS_TO_LOCK", 0.2)
    other = place.connect()
    other.execute("BEGIN; LOCK TABLE etl.runs")
    told = []

    @contextmanager
    def tell(holder: str) -> Iterator[None]:
        told.append(holder)
        other.close()
        yield
        told.append("going on")

    engine = open_engine(place.settings(), on_wait=tell)
    with engine.writing():
        assert told == ["another run", "going on"]
    with engine.writing():
        assert len(told) == 2, "who need not wait hears nothing"
    engine.close()


def test_the_tables_are_those_of_a_run_without_faults(place: OnRedshift, warehouses: Warehouses, lake: Path):
    """A run that lost its connection half way gives the same hashes, the files' numbers included."""
    assert load(place, lake) == 0
    undisturbed = hash_tables(place, file_ids=True)
    warehouses.empty(place)
    place.server.faults.arm(Fault("drop_after", match="INSERT INTO staging_events"))
    assert load(place, lake) == 0
    assert hash_tables(place, file_ids=True) == undisturbed
