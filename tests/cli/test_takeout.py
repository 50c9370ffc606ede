"""`sparkify undo` and `sparkify retract`: exit codes, the JSON object, and what they refuse."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.contents import hash_tables, read_tables
from tests.loading import etl
from tests.oracle import expect
from tests.records import TS, play, write_records

from sparkify.cli.app import run

DAYS = [play(), play(ts=TS + 1, userId="2")]


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Two days, each loaded by a run of its own into ``w.duckdb``."""
    for number, day in enumerate(DAYS, 1):
        write_records(tmp_path / "log_data" / f"{number}.json", day)
        assert etl(tmp_path / "w.duckdb", tmp_path / "log_data") == 0
    return tmp_path


def command(lake: Path, *arguments: str) -> int:
    return run([*arguments, "--config", os.devnull, "--database", str(lake / "w.duckdb")])


def as_json(lake: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the one object on stdout."""
    capsys.readouterr()
    code = command(lake, *arguments, "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, found


def test_undo_takes_a_run_out_and_the_next_etl_loads_it_again(lake: Path, capsys: pytest.CaptureFixture[str]):
    code, found = as_json(lake, capsys, "undo", "2", "--yes")
    assert code == 0
    assert found == {"taken_out": [str(lake / "log_data" / "2.json")], "run_id": 3}
    assert read_tables(lake / "w.duckdb") == expect(DAYS[:1], [])
    assert etl(lake / "w.duckdb", lake / "log_data") == 0
    assert read_tables(lake / "w.duckdb") == expect(DAYS, [])


def test_retract_takes_a_file_out_until_it_is_put_back(lake: Path, capsys: pytest.CaptureFixture[str]):
    uri = str(lake / "log_data" / "1.json")
    code, found = as_json(lake, capsys, "retract", uri, "--yes")
    assert (code, found) == (0, {"taken_out": [uri], "run_id": 3})
    assert read_tables(lake / "w.duckdb") == expect(DAYS[1:], [])
    assert etl(lake / "w.duckdb", lake / "log_data") == 0
    assert read_tables(lake / "w.duckdb") == expect(DAYS[1:], [])
    code, found = as_json(lake, capsys, "retract", "--back", uri)
    assert (code, found) == (0, {"back": [uri]})
    assert etl(lake / "w.duckdb", lake / "log_data") == 0
    assert read_tables(lake / "w.duckdb") == expect(DAYS, [])


def test_a_file_may_be_named_as_it_is_seen_from_here(lake: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(lake / "log_data")
    assert command(lake, "retract", "2.json", "--yes") == 0
    assert read_tables(lake / "w.duckdb") == expect(DAYS[:1], [])


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        (["undo", "2"], 2, "ConfigError"),  # nobody to ask
        (["retract", "{lake}/log_data/1.json"], 2, "ConfigError"),
        (["undo", "9", "--yes"], 1, "SparkifyError"),
        (["retract", "nothing.json", "--yes"], 1, "SparkifyError"),
        (["retract", "s3://bucket/nothing.json", "--yes"], 1, "SparkifyError"),
        (["retract", "--back", "{lake}/log_data/1.json"], 1, "SparkifyError"),  # it is not retracted
        (["undo", "0", "--yes"], 2, "UsageError"),
        (["undo", "last", "--yes"], 2, "UsageError"),
        (["undo"], 2, "UsageError"),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    lake: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, kind: str
):
    before = hash_tables(lake / "w.duckdb", file_ids=True, ledger=True)
    found = as_json(lake, capsys, *(each.format(lake=lake) for each in arguments))
    error = found[1]["error"]
    assert (found[0], error["kind"], error["exit_code"]) == (code, kind, code)
    assert error["hint"]
    assert hash_tables(lake / "w.duckdb", file_ids=True, ledger=True) == before


def test_a_check_that_fails_leaves_everything_in(lake: Path, capsys: pytest.CaptureFixture[str]):
    """Without the plays only events are left that give none, which a check takes for a mistake."""
    write_records(lake / "log_data" / "3.json", play(page="Home", ts=TS + 5))
    assert etl(lake / "w.duckdb", lake / "log_data") == 0
    assert command(lake, "undo", "1", "--yes") == 0
    before = hash_tables(lake / "w.duckdb", file_ids=True, ledger=True)
    code, found = as_json(lake, capsys, "undo", "2", "--yes")
    assert (code, found["error"]["kind"]) == (3, "CheckError")
    assert hash_tables(lake / "w.duckdb", file_ids=True, ledger=True) == before


@pytest.mark.parametrize("arguments", [["undo", "1"], ["retract", "x.json"], ["retract", "--back", "x.json"]])
def test_without_a_warehouse_none_is_made(tmp_path: Path, arguments: list[str]):
    assert command(tmp_path, *arguments, "--yes") == 1
    assert list(tmp_path.iterdir()) == []
