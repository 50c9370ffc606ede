"""A command that is interrupted or terminated at any moment rolls back, leaves nothing behind, and says so.

The commands are processes of their own, and the signals real ones.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sparkify.cli import stopping
from sparkify.cli.app import run
from tests.cli.conftest import Run, command, environment, write_lake
from tests.contents import hash_tables
from tests.old_warehouses import restore, restore_on
from tests.tiers import sweep
from tests.warehouses import OnRedshift, Warehouses, options_of, rows
from tools.redshift_double import Fault

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
TABLES = ("staging_events", "staging_songs", "songplays", "users", "songs", "artists", "time", "etl.runs")
Hashes = dict[str, Any]

each_moment = pytest.mark.parametrize(
    ("share", "number"),
    sweep(
        [
            (0.5, signal.SIGTERM),
            (0.85, signal.SIGINT),
            (0.35, signal.SIGINT),
            (0.6, signal.SIGINT),
            (0.7, signal.SIGTERM),
            (0.8, signal.SIGTERM),
            (0.9, signal.SIGTERM),
            (0.95, signal.SIGINT),
            (1.0, signal.SIGTERM),
        ],
        5,
    ),
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """About 300,000 events of ten days; the first is apart from the others."""
    root = tmp_path_factory.mktemp("lake") / "all"
    assert run(["simulate", str(root), "--events", "300000", "--days", "10", "--songs", "200"]) == 0
    logs = sorted((root / "log_data").rglob("*.json"))
    (root / "first").mkdir()
    logs[0].rename(root / "first" / logs[0].name)
    return root


@pytest.fixture(scope="module")
def loaded(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A warehouse of the first day, and the seconds it took to load the others after it, into another."""
    place = tmp_path_factory.mktemp("loaded") / "w.duckdb"
    subprocess.run(etl(place, lake / "first", lake), check=True, capture_output=True)
    whole = Path(shutil.copy(place, place.with_name("whole.duckdb")))
    started = time.monotonic()
    subprocess.run(etl(whole, lake / "log_data", lake), check=True, capture_output=True)
    return place, time.monotonic() - started


def etl(place: Path, logs: Path, lake: Path) -> list[str]:
    options = ["--song-data", str(lake / "song_data"), "--lenient"]
    return command("etl", *options_of(place), "--log-data", str(logs), *options)


def hashes(place: Path) -> Hashes:
    """Return a hash of each table, and of what `file_id` and the ledger say."""
    with duckdb.connect(str(place), read_only=True) as connection:
        return {
            table: connection.execute(f"SELECT COUNT(*), SUM(hash(t)) FROM {table} AS t").fetchone()
            for table in TABLES
        }


def stop(arguments: list[str], seconds: float, number: int, spool: Path) -> tuple[int, str]:
    """Start a command, send it a signal after a while, twice; return its exit code and what it said."""
    spool.mkdir(exist_ok=True)
    process = subprocess.Popen(
        arguments,
        env=environment(TMPDIR=str(spool)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(seconds)
    process.send_signal(number)
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    assert "Traceback" not in said
    return process.returncode, said


@each_moment
@pytest.mark.parametrize("first", [False, True], ids=["a later run", "the first run"])
def test_a_load_that_is_stopped_leaves_nothing(
    lake: Path, loaded: tuple[Path, float], tmp_path: Path, share: float, number: int, first: bool
) -> None:
    place, seconds = loaded
    folder = tmp_path / "there"
    folder.mkdir()
    victim = folder / "w.duckdb"
    if not first:
        shutil.copy(place, victim)
    code, said = stop(
        etl(victim, lake / "log_data", lake), share * seconds, number, spool := tmp_path / "tmp"
    )
    if code == 0:
        assert victim.exists()  # it was done before the signal came
    else:
        assert code == CODES[signal.Signals(number)]
        assert "stopping" in said
        assert ("committed" in said) == (victim.exists() if first else hashes(victim) != hashes(place)), said
    assert list(spool.iterdir()) == []
    assert [path.name for path in folder.iterdir()] == [victim.name] * victim.exists()
    subprocess.run(etl(victim, lake / "log_data", lake), check=True, capture_output=True)
    assert hashes(victim)["songplays"][0] > 100_000


@each_moment
@pytest.mark.parametrize("what", ["undo", "retract"])
def test_what_takes_files_out_leaves_nothing_when_it_is_stopped(
    lake: Path, loaded: tuple[Path, float], tmp_path: Path, share: float, number: int, what: str
) -> None:
    whole = Path(shutil.copy(loaded[0].with_name("whole.duckdb"), tmp_path / "w.duckdb"))
    before = hashes(whole)
    logs = str(lake / "log_data" / "**" / "*-0[3-6]-*")
    arguments = command(what, "2" if what == "undo" else logs, "--yes", *options_of(whole))
    other = Path(shutil.copy(whole, tmp_path / "other.duckdb"))
    started = time.monotonic()
    subprocess.run([each.replace(str(whole), str(other)) for each in arguments], check=True)
    seconds = time.monotonic() - started
    other.unlink()
    code, said = stop(arguments, share * seconds, number, spool := tmp_path / "tmp")
    assert code in (0, CODES[signal.Signals(number)])
    assert (code == 0 or "committed" in said) == (hashes(whole) != before), said
    assert list(spool.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [whole.name]


AROUND_COMMIT = """
import os, signal, sys, threading
from sparkify.cli.app import main
from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine

real = DuckDBEngine._run
def run(self, sql, *arguments, **options):
    if sql == "COMMIT":
        threading.Timer({seconds}, os.kill, (os.getpid(), signal.SIGTERM)).start()
    return real(self, sql, *arguments, **options)

DuckDBEngine._run = run
main(sys.argv[1:])
"""


@pytest.mark.parametrize("seconds", sweep([0.004, 0.02, 0.0, 0.002, 0.008, 0.012, 0.03, 0.05], 4))
def test_a_signal_around_commit_is_told_as_what_it_meant(
    lake: Path, loaded: tuple[Path, float], tmp_path: Path, seconds: float
) -> None:
    """DuckDB may commit and call it interrupted, and may be interrupted while it lets go of the file."""
    place = Path(shutil.copy(loaded[0].with_name("whole.duckdb"), tmp_path / "w.duckdb"))
    before = hashes(place)
    log = str(sorted((lake / "log_data").rglob("*.json"))[3])
    program = AROUND_COMMIT.format(seconds=seconds)
    done = subprocess.run(
        [sys.executable, "-c", program, "retract", log, "--yes", *options_of(place)],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 143), done.stderr
    assert (done.returncode == 0 or "committed" in done.stderr) == (hashes(place) != before), done.stderr


SIGNALLED = """
import os, signal, sys
from sparkify.cli.app import main
from sparkify.cli.screen import Progress

once = []
def tell(self, *, label=None, **_):
    if label == {label!r} and not once:
        once.append(1)
        os.kill(os.getpid(), signal.{name})

Progress.__call__ = tell
main(sys.argv[1:])
"""


@pytest.mark.parametrize("label", ["upgrading the tables", "building songplays", "writing the warehouse"])
def test_an_upgrade_that_is_stopped_can_be_done_again(tmp_path: Path, label: str) -> None:
    old = restore(0, tmp_path)
    program = SIGNALLED.format(label=label, name="SIGTERM")
    arguments = ["upgrade", *options_of(old.place)]
    spool = tmp_path / "tmp"
    spool.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment(TMPDIR=str(spool)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 143, done.stderr
    assert "stopping: rolling back\n" in done.stderr
    assert list(spool.iterdir()) == []
    assert rows(old.place, "SELECT COUNT(*) FROM songplays") == rows(
        restore(0, tmp_path / "again").place, "SELECT COUNT(*) FROM songplays"
    )
    assert run(arguments) == 0
    assert run([*arguments, "--plan"]) == 0


# A statement of each phase of a run on Redshift.
PHASES = {"copy": r"COPY \w+", "lock": "LOCK", "models": "INTO songplays", "commit": "INTO etl.runs"}


@pytest.mark.parametrize(
    ("what", "phase", "number"),
    [
        ("etl", "copy", signal.SIGTERM),
        ("etl", "models", signal.SIGINT),
        ("etl", "commit", signal.SIGTERM),
        ("undo", "models", signal.SIGTERM),
        ("retract", "lock", signal.SIGINT),
        ("retract", "models", signal.SIGTERM),
    ],
)
def test_a_statement_on_redshift_is_cancelled(
    warehouses: Warehouses, tmp_path: Path, what: str, phase: str, number: int
) -> None:
    """It would go on for a minute otherwise, and hold the lock that the next run waits for."""
    place = warehouses.new("redshift", tmp_path)
    assert isinstance(place, OnRedshift)
    write_lake(tmp_path)
    sources = ["--log-data", str(tmp_path / "log_data"), "--song-data", str(tmp_path / "song_data")]
    assert run(["etl", *options_of(place), *sources]) == 0
    more = tmp_path / "log_data" / "2.json"
    more.write_text(
        (tmp_path / "log_data" / "1.json").read_text().replace('"sessionId": 139', '"sessionId": 7')
    )
    before = hash_tables(place, file_ids=True, ledger=True)
    arguments = {
        "etl": ["etl", *sources],
        "undo": ["undo", "1", "--yes"],
        "retract": ["retract", str(tmp_path / "log_data" / "1.json"), "--yes"],
    }[what]
    code, said, entry = _stop_at(place, [*arguments, *options_of(place)], PHASES[phase], number, tmp_path)
    assert code == CODES[signal.Signals(number)], said
    assert "stopping: rolling back\n" in said
    assert entry.code == "57014", "the server was not asked to end the statement"
    assert hash_tables(place, file_ids=True, ledger=True) == before
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not [path for path in _staged(warehouses, place) if "jsonpaths" not in path.name]
    assert run([*arguments, *options_of(place)]) == 0


def test_an_upgrade_on_redshift_is_cancelled(warehouses: Warehouses, s3: Any, tmp_path: Path) -> None:
    old = restore_on("redshift", 0, tmp_path, warehouses, s3)
    assert isinstance(old.place, OnRedshift)
    arguments = ["upgrade", *options_of(old.place)]
    before = rows(old.place, "SELECT * FROM songplays ORDER BY 1")
    code, said, entry = _stop_at(old.place, arguments, PHASES["models"], signal.SIGTERM, tmp_path)
    assert (code, entry.code) == (143, "57014"), said
    assert rows(old.place, "SELECT * FROM songplays ORDER BY 1") == before
    assert run(arguments) == 0


def _staged(warehouses: Warehouses, place: OnRedshift) -> list[Path]:
    return [path for path in (warehouses._s3.root / "staging" / place.name).rglob("*") if path.is_file()]


def _stop_at(
    place: OnRedshift, arguments: list[str], match: str, number: int, folder: Path
) -> tuple[int, str, Any]:
    """Run a command, and send it a signal while a statement runs that matches; return that as well."""
    (folder / "tmp").mkdir()
    place.server.statements.clear()
    place.server.faults.arm(Fault("slow", match=match, seconds=60))
    process = subprocess.Popen(
        command(*arguments),
        env=environment(TMPDIR=str(folder / "tmp")),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while place.server.faults.armed:
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(number)
        _, said = process.communicate(timeout=50)
    finally:
        process.kill()
        process.communicate()
        place.server.faults.clear()
    entry = [each for each in place.server.statements if re.search(match, each.sql)][-1]
    deadline = time.monotonic() + 10
    while entry.status == "running" and time.monotonic() < deadline:
        time.sleep(0.02)
    return process.returncode, said, entry


def test_a_signal_during_commit_is_not_told_as_rolled_back(
    sparkify: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is heard after the statement that it came in, and that was the last one."""

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    write_lake(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("sparkify.pipeline.etl_run.EtlRun.record", fail)
        done = sparkify("etl", "--log-data", "log_data", "--song-data", "song_data")
    assert done.code == 130
    assert "run 1 was committed just before.\n" in done.err
    assert "rolled back" not in done.err
    assert json.loads(sparkify("runs", "--json").out)["runs"][0]["status"] == "done"


def test_an_interrupt_that_is_swallowed_stops_the_command_nevertheless(
    sparkify: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Modules swallow it while they are imported."""
    write_lake(tmp_path)
    monkeypatch.setattr(stopping, "_heard", [signal.SIGTERM])
    assert sparkify("etl", "--log-data", "log_data").code == 143
    assert not (tmp_path / "sparkify.duckdb").exists()
