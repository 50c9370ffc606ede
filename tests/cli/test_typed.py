"""The commands that errors and results name can be typed as they stand: they are on the same warehouse."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from sparkify.cli.app import run
from tests.loading import etl
from tests.records import play, write_records


def named(text: str) -> list[list[str]]:
    """Return the commands in a text, as a shell takes them apart."""
    return [shlex.split(command) for command in re.findall("`(sparkify [^`]+)`", text)]


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A warehouse in a folder whose name a shell would take apart."""
    folder = tmp_path / "of $mine"
    write_records(folder / "log_data" / "1.json", play())
    assert etl(folder / "w.duckdb", folder / "log_data") == 0
    return folder


def test_what_an_error_names_is_on_the_warehouse_it_happened_in(
    lake: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(lake.parent)  # where there is neither a configuration nor a warehouse
    (lake / "log_data" / "2.json").write_text("no JSON\n")
    capsys.readouterr()
    assert etl(lake / "w.duckdb", lake / "log_data") == 3
    assert run(["undo", "9", "--config", os.devnull, "--database", str(lake / "w.duckdb")]) == 1
    commands = named(capsys.readouterr().err)
    assert [words[1:3] for words in commands] == [
        ["rejects", "list"],
        ["rejects", "show"],
        ["etl", "--accept"],
        ["runs", "--config"],
    ]
    for _, *arguments in commands:
        if arguments[0] == "etl":
            continue
        assert run(arguments) == 0, arguments
    assert "malformed_json" in capsys.readouterr().out


def test_what_a_record_says_stays_as_it_is(lake: Path, capsys: pytest.CaptureFixture[str]):
    """Only advice is filled in: a record may hold what looks like it."""
    record = '{"ts": "`sparkify etl`"}'
    (lake / "log_data" / "2.json").write_text(record + "\n")
    places = ["--config", os.devnull, "--database", str(lake / "w.duckdb")]
    assert etl(lake / "w.duckdb", lake / "log_data", None, "--accept", "2.json") == 0
    capsys.readouterr()
    assert run(["rejects", "show", *places]) == 0
    assert f"  {record}\n" in capsys.readouterr().out


def test_a_command_gets_only_the_options_it_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    config = tmp_path / "dwh.cfg"
    config.write_text("[DWH]\nENGINE = redshift\n")
    assert run(["check", "--config", str(config), "--engine", "redshift"]) == 2
    assert named(capsys.readouterr().err) == [["sparkify", "cluster", "create", "--config", str(config)]]


def test_without_options_a_command_stands_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert run(["runs"]) == 1
    assert named(capsys.readouterr().err) == [["sparkify", "etl"], ["sparkify", "create-tables"]]
