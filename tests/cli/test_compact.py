"""`sparkify compact` gives back the space of what is gone, and changes nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from sparkify.cli.app import run
from sparkify.errors import EngineError
from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine
from sparkify.warehouse.duckdb.new_file import NewFile
from tests.contents import hash_tables
from tests.loading import etl
from tests.records import play, song, write_records
from tests.tiers import sweep
from tests.warehouses import Warehouses, options_of

GONE = "a place that nobody else is at"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A warehouse of which a file has been taken out again."""
    place = tmp_path / "w.duckdb"
    write_records(tmp_path / "song_data" / "1.json", song())
    write_records(tmp_path / "log_data" / "1.json", play())
    many = [play(location=f"{GONE} {number}", ts=1541030400000 + number) for number in range(5_000)]
    gone = write_records(tmp_path / "log_data" / "2.json", *many)
    assert etl(place, tmp_path / "log_data", tmp_path / "song_data") == 0
    assert run(["retract", str(gone), "--yes", "--database", str(place)]) == 0
    place.chmod(0o640)
    return place


def test_nothing_but_the_space_changes(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    before = hash_tables(place, file_ids=True, ledger=True)
    size = place.stat().st_size
    assert GONE.encode() in place.read_bytes()
    capsys.readouterr()
    assert run(["compact", "--json", "--database", str(place)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["bytes_before"], told["bytes"]) == (size, place.stat().st_size)
    assert place.stat().st_size < size
    assert GONE.encode() not in place.read_bytes()
    assert hash_tables(place, file_ids=True, ledger=True) == before
    assert place.stat().st_mode & 0o777 == 0o640
    assert {path.name for path in tmp_path.iterdir()} == {"w.duckdb", "log_data", "song_data"}
    write_records(tmp_path / "log_data" / "3.json", play(userId="2"))
    assert etl(place, tmp_path / "log_data") == 0


@pytest.mark.parametrize("fault", ["replace", "copy"])
def test_what_fails_leaves_the_old_file(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
):
    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device") if fault == "replace" else EngineError("no", "Stop.")

    if fault == "replace":
        monkeypatch.setattr(NewFile, "replace", fail)
    else:
        monkeypatch.setattr(DuckDBEngine, "_copy_into", fail)
    before = hash_tables(place, file_ids=True, ledger=True)
    assert run(["compact", "--database", str(place)]) == 1
    assert hash_tables(place, file_ids=True, ledger=True) == before
    assert {path.name for path in tmp_path.iterdir()} == {"w.duckdb", "log_data", "song_data"}


# Kills the process before the statement of this number, or else before the new file takes its place.
KILLED = """
import os, signal, sys
from sparkify.cli.app import run
from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine
from sparkify.warehouse.duckdb.new_file import NewFile
left, execute, replace = [{}], DuckDBEngine._run, NewFile.replace
def count(*arguments):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
def counted(self, *arguments):
    count()
    return execute(self, *arguments)
def replaced(self):
    left[0] = 1
    count()
DuckDBEngine._run, NewFile.replace = counted, replaced
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.parametrize("statement", sweep([6, 1, 4, 8, 1000], 5))
def test_killed_at_any_moment_the_old_file_stays_and_the_next_try_succeeds(
    place: Path, tmp_path: Path, statement: int
):
    before = hash_tables(place, file_ids=True, ledger=True)
    command = [sys.executable, "-c", KILLED.format(statement), "compact", "--database", str(place)]
    done = subprocess.run([*command, "--config", os.devnull], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert hash_tables(place, file_ids=True, ledger=True) == before
    assert run(["compact", "--database", str(place), "--config", os.devnull]) == 0
    assert hash_tables(place, file_ids=True, ledger=True) == before
    assert GONE.encode() not in place.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"w.duckdb", "log_data", "song_data"}


def test_a_warehouse_that_is_held_stays_as_it_is(place: Path):
    with duckdb.connect(str(place)):
        assert run(["compact", "--database", str(place), "--wait", "0"]) == 1


def test_redshift_does_it_by_itself(warehouses: Warehouses, tmp_path: Path):
    assert run(["compact", *options_of(warehouses.new("redshift", tmp_path))]) == 2
