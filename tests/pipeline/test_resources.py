"""Where the machine gives out, a run says so and changes nothing; the next one, with room again, finishes."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks.timing import SPARKIFY, run_process
from sparkify.cli.app import run
from sparkify.errors import EngineError
from sparkify.pipeline import retry
from sparkify.tempfiles import open_temporary_folder
from sparkify.warehouse import ledger
from sparkify.warehouse.duckdb import duckdb_engine
from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine
from sparkify.warehouse.statements import Statement
from sparkify.warehouse.version import prepare_tables
from tests.contents import hash_tables, read_tables
from tests.loading import etl
from tests.oracle import expect
from tests.records import TS, play, song, write_records
from tests.tiers import sweep

OLD = [play(userId=str(n), ts=TS + n) for n in range(50)]
# Texts that differ, so that they cannot be compressed to nothing.
NEW = [play(userId=str(n), ts=TS + 1000 + n, userAgent=f"{n * 7919:0512x}") for n in range(6000)]
SONGS = [song(song_id=f"SO{n}", title=f"Title {n}") for n in range(50)]


@dataclass(frozen=True)
class Lake:
    """A warehouse with the old events in, and new ones to load into it."""

    folder: Path
    before: dict[str, str]

    @property
    def database(self) -> Path:
        return self.folder / "warehouse" / "w.duckdb"

    def run(
        self, *, program: str = "", limit: Callable[[], None] | None = None, database: Path | None = None
    ) -> dict[str, Any] | None:
        """Run `etl` in a process of its own; return its error, None if it went well."""
        program += "import sys; from sparkify.cli.app import run; sys.exit(run(sys.argv[1:]))"
        command = [sys.executable, "-c", program, "etl", "--json", "--config", os.devnull]
        command += ["--database", str(database or self.database), "--log-data", str(self.folder / "log_data")]
        command += ["--song-data", str(self.folder / "song_data")]
        work = self.folder / "work"
        done = subprocess.run(
            command,
            cwd=work,
            env={**os.environ, "TMPDIR": str(self.folder / "tmp")},
            preexec_fn=limit,
            capture_output=True,
            text=True,
            check=False,
        )
        assert list(work.iterdir()) == [], "nothing is left where people happen to be"
        assert list((self.folder / "tmp").iterdir()) == []
        error: dict[str, Any] | None = json.loads(done.stdout).get("error")
        assert done.returncode == (1 if error else 0), done.stderr
        return error

    def assert_unchanged(self) -> None:
        assert [path.name for path in self.database.parent.iterdir()] == [self.database.name]
        assert hash_tables(self.database, file_ids=True, ledger=True) == self.before

    def assert_finishes(self) -> None:
        assert self.run() is None
        assert read_tables(self.database) == expect(OLD + NEW, SONGS)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("prepared")
    for name in ("tmp", "work", "warehouse"):
        (folder / name).mkdir()
    write_records(folder / "log_data" / "old.json", *OLD)
    assert etl(folder / "warehouse" / "w.duckdb", folder / "log_data") == 0
    return Lake(folder, hash_tables(folder / "warehouse" / "w.duckdb", file_ids=True, ledger=True))


@pytest.fixture
def lake(prepared: Lake, tmp_path: Path) -> Lake:
    # The same path in the ledger is not needed: what is at another place is simply new.
    shutil.copytree(prepared.folder / "warehouse", tmp_path / "warehouse")
    for name in ("tmp", "work"):
        (tmp_path / name).mkdir()
    write_records(tmp_path / "log_data" / "new.json", *NEW)
    for number, record in enumerate(SONGS):
        write_records(tmp_path / "song_data" / f"{number}.json", record)
    return Lake(tmp_path, prepared.before)


def at_most(size: int) -> Callable[[], None]:
    """Let no file grow beyond ``size`` bytes: what a full disk does, without one."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("more", sweep([-1_000_000, 0, 300_000], 3))
def test_disk_full(lake: Lake, more: int):
    error = lake.run(limit=at_most(lake.database.stat().st_size + more))
    assert error
    assert error["kind"] == "EngineError"
    assert str(lake.database) in error["message"]
    assert "room" in error["hint"]
    lake.assert_unchanged()
    lake.assert_finishes()


def test_what_is_committed_is_done_even_if_the_disk_is_full_then(lake: Lake):
    """A small run fits into the log beside the file: it is in, and nobody is told that it failed."""
    shutil.rmtree(lake.folder / "song_data")
    write_records(lake.folder / "log_data" / "new.json", *NEW[:20])
    write_records(lake.folder / "song_data" / "0.json", SONGS[0])
    full = at_most(lake.database.stat().st_size)
    assert lake.run(limit=full) is None
    assert lake.run(limit=full) is None  # nothing to do, and still no room
    assert read_tables(lake.database) == expect(OLD + NEW[:20], SONGS[:1])
    write_records(lake.folder / "log_data" / "newer.json", NEW[20])
    assert lake.run() is None
    assert read_tables(lake.database) == expect(OLD + NEW[:21], SONGS[:1])
    assert [path.name for path in lake.database.parent.iterdir()] == [lake.database.name]


def test_disk_full_before_there_is_a_warehouse(lake: Lake):
    for size in (1000, 20_000, 400_000):
        error = lake.run(limit=at_most(size), database=lake.folder / "warehouse" / "other.duckdb")
        assert error
        assert error["exit_code"] == 1
        lake.assert_unchanged()


@pytest.mark.parametrize("size", sweep([0, 100], 2))
def test_no_room_for_temporary_files(lake: Lake, size: int):
    error = lake.run(limit=at_most(size))
    assert error
    assert error["exit_code"] == 1
    assert "TMPDIR" in error["hint"]
    lake.assert_unchanged()


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[None]:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        done = False
    if not done:
        pytest.skip("mounting a small disk needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("room", sweep([200, 900], 2))
def test_a_real_disk_that_is_full(lake: Lake, room: int):
    kept = lake.folder / "kept"
    lake.database.parent.rename(kept)
    lake.database.parent.mkdir()
    with mounted(lake.database.parent, f"{(kept / 'w.duckdb').stat().st_size // 1024 + room}k"):
        shutil.copy(kept / "w.duckdb", lake.database)
        error = lake.run()
        assert error
        assert "No space left on device" in error["message"]
        lake.assert_unchanged()


LITTLE_MEMORY = """
from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine
connect = DuckDBEngine._connect
def little(self):
    connection = connect(self)
    connection.execute("SET memory_limit = '{}'")
    connection.execute("SET max_temp_directory_size = '{}'")
    return connection
DuckDBEngine._connect = little
"""


def test_memory_that_runs_out(lake: Lake):
    error = lake.run(program=LITTLE_MEMORY.format("5MB", "0KB"))
    assert error
    assert error["kind"] == "EngineError"
    assert "memory" in error["message"]
    assert "--batch-bytes" in error["hint"]
    lake.assert_unchanged()
    lake.assert_finishes()


@pytest.mark.thorough
def test_a_load_takes_no_more_memory_than_it_may(tmp_path: Path):
    """What the whole process takes is the kernel's word: into a new warehouse, and everything once more."""
    lake, database = tmp_path / "lake", tmp_path / "w.duckdb"
    assert run(["simulate", str(lake), "--events", "500000", "--days", "30", "--config", os.devnull]) == 0
    command: list[str | Path] = [
        *SPARKIFY,
        "etl",
        "--memory",
        "300MB",
        "--config",
        os.devnull,
        "--database",
        database,
    ]
    command += ["--log-data", lake / "log_data", "--song-data", lake / "song_data"]
    for more in ([], ["--full-refresh"]):
        assert run_process([*command, *more]).peak <= 300_000_000


LATER_SONG = song(song_id="SOLATE", title="Late")


def late(plays: int) -> list[dict[str, Any]]:
    """Return plays of which every other one is of :data:`LATER_SONG`."""
    titles = ("Late", "Title")
    return [play(userId=str(n % 50), sessionId=n, ts=TS + 5000 * n, song=titles[n % 2]) for n in range(plays)]


def spare(monkeypatch: pytest.MonkeyPatch, memory: int) -> None:
    """Let publishing have so little, however large the run's own tables are."""
    monkeypatch.setattr(duckdb_engine, "_TO_PUBLISH", memory)
    monkeypatch.setattr(duckdb_engine, "_OF_TABLES", 0)


def memory_of(engine: DuckDBEngine) -> float:
    """Return the megabytes that DuckDB has."""
    ((text,),) = engine.execute(Statement("SELECT current_setting('memory_limit')", "memory", 1))
    number, unit = text.split()
    return float(number) * {"MiB": 1.048576, "GiB": 1073.741824}[unit]


def test_publishing_gets_memory_by_what_the_run_brings(tmp_path: Path):
    engine = DuckDBEngine(tmp_path / "w.duckdb", memory=2_000_000_000)
    few, many = (
        Statement(f"CREATE TEMP TABLE {name} AS SELECT 1 AS n FROM range({rows}) AS r", name, 1)
        for name, rows in (("few", 1000), ("many", 4_000_000))
    )
    everything = memory_of(engine)
    with engine.writing():
        assert memory_of(engine) == everything, "a first load fills a new file"
        prepare_tables(engine)
    with engine.writing():
        engine.execute(few)
        assert 299 < memory_of(engine) < 310
        engine.execute(many)
        assert 320 < memory_of(engine) < 700, "the run's own tables have grown"
        engine.use_all_memory()
        assert memory_of(engine) == everything
    with engine.writing():
        assert 320 < memory_of(engine) < 700, "what has landed counts from the beginning"
    assert memory_of(engine) == everything
    with pytest.raises(EngineError), engine.writing():
        engine.execute(Statement("SELECT 1 FROM nowhere", "nowhere", 1))
    assert memory_of(engine) == everything
    engine.close()


def test_a_run_that_needs_more_memory_than_it_brings_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    plays, database = late(500), tmp_path / "w.duckdb"
    logs = write_records(tmp_path / "logs" / "log.json", *plays).parent
    songs = write_records(tmp_path / "songs" / "song.json", LATER_SONG).parent
    assert etl(database, logs) == 0
    monkeypatch.setattr(retry, "PAUSES", (0.0,))
    spare(monkeypatch, 3_000_000)
    assert etl(database, None, songs) == 0
    assert "was too much for" in caplog.text
    assert read_tables(database) == expect(plays, [LATER_SONG])


@pytest.mark.thorough
def test_what_does_not_fit_in_the_memory_of_publishing_is_spilled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """A song that half of all plays match, then everything out again: as from all memory."""
    logs = write_records(tmp_path / "logs" / "log.json", *late(40_000)).parent
    songs = write_records(tmp_path / "songs" / "song.json", LATER_SONG).parent
    databases = [tmp_path / "little.duckdb", tmp_path / "all.duckdb"]
    assert etl(databases[0], logs, None, "--lenient") == 0
    shutil.copy(*databases)
    held = []
    for database, memory in zip(databases, (25_000_000, 10**12), strict=True):
        spare(monkeypatch, memory)
        assert etl(database, None, songs, "--lenient") == 0
        before = hash_tables(database, file_ids=True)
        assert run(["undo", "1", "--yes", "--database", str(database), "--config", os.devnull]) == 0
        held.append((before, hash_tables(database, file_ids=True)))
    assert held[0] == held[1]
    assert held[0][0] != held[0][1]
    assert "was too much for" not in caplog.text
    assert etl(databases[1], logs, None, "--lenient", "--full-refresh") == 0
    assert hash_tables(databases[1], file_ids=True) == held[0][0]


SPILL = """
import sys
from pathlib import Path
from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine
engine = DuckDBEngine(Path("none.duckdb"))
engine._connection.execute("SET memory_limit = '50MB'")
engine._connection.execute("CREATE TABLE t AS SELECT random() AS r, range::VARCHAR AS x FROM range(4000000)")
print(flush=True)
sys.stdin.read()
engine.close()
"""


@pytest.mark.parametrize("killed", sweep([False, True], 2))
def test_what_does_not_fit_in_memory_goes_to_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: bool
):
    """It is readable by us alone, and removed at the end, or by the next run where this one was killed."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    command = [sys.executable, "-c", SPILL]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "\n"
        (spilled,) = (path for path in tmp_path.iterdir() if path.is_dir())
        assert spilled.stat().st_mode & 0o077 == 0
        assert list(spilled.iterdir())
        with open_temporary_folder():
            assert list(spilled.iterdir()), "that of a living run stays"
        if killed:
            process.kill()
        process.communicate()
    assert spilled.exists() == killed
    with open_temporary_folder():
        pass
    assert not list(tmp_path.iterdir())


@contextmanager
def immutable(path: Path) -> Iterator[None]:
    """Let nobody, not even root, write in a folder."""
    root = os.geteuid() == 0
    lock, unlock = (["chattr", "+i"], ["chattr", "-i"]) if root else (["chmod", "a-w"], ["chmod", "u+w"])
    try:
        done = subprocess.run([*lock, str(path)], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        done = False
    if not done:
        pytest.skip("this file system has no folders that root may not write in")
    try:
        yield
    finally:
        subprocess.run([*unlock, str(path)], check=True)


def test_a_folder_that_may_not_be_written(lake: Lake):
    with immutable(lake.database.parent):
        error = lake.run(database=lake.database.with_name("other.duckdb"))
        assert error
        assert error["exit_code"] == 1
        assert "write" in error["hint"]
    with immutable(lake.database):
        error = lake.run()
        assert error
        assert (error["exit_code"], error["kind"]) == (1, "EngineError")
        # Reading needs no right to write.
        assert run(["query", "--database", str(lake.database), "SELECT 1", "--config", os.devnull]) == 0
    lake.assert_unchanged()
    lake.assert_finishes()


def test_a_clock_that_goes_back_changes_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Runs are numbered, never ordered by time: the clock is for people only."""
    moment = datetime(2030, 1, 1, tzinfo=UTC)

    class Backwards(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            nonlocal moment
            moment -= timedelta(days=1)
            return moment

    monkeypatch.setattr(ledger, "datetime", Backwards)
    days = [play(ts=TS + n, level=level) for n, level in enumerate(["free", "paid", "free"])]
    for number, record in enumerate(days):
        write_records(tmp_path / "log_data" / f"{number}.json", record, {"ts": "bad"})
        assert etl(tmp_path / "w.duckdb", tmp_path / "log_data", None, "--max-rejects", "9") == 0
        assert read_tables(tmp_path / "w.duckdb") == expect(days[: number + 1], [])
    assert run(["undo", "3", "--yes", "--database", str(tmp_path / "w.duckdb"), "--config", os.devnull]) == 0
    assert read_tables(tmp_path / "w.duckdb") == expect(days[:2], [])
    with duckdb.connect(str(tmp_path / "w.duckdb"), read_only=True) as connection:
        times = connection.execute("SELECT started_at FROM etl.runs ORDER BY run_id").fetchall()
    assert times == sorted(times, reverse=True)
    capsys.readouterr()
    assert run(["runs", "--json", "--database", str(tmp_path / "w.duckdb"), "--config", os.devnull]) == 0
    assert [row["run_id"] for row in json.loads(capsys.readouterr().out)["runs"]] == [4, 3, 2, 1]
