"""`sparkify test`: given and expected rows on an empty warehouse, and what it says when they differ."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sparkify.cli.app import run
from tests.custom.folder import write_folder

MODELS = {
    "marts/daily.sql": "-- materialized: incremental\n-- day: day\n"
    "SELECT CAST(p.start_time AS DATE) AS day, COUNT(*) AS plays, SUM(p.length) AS length\n"
    "FROM songplays AS p GROUP BY 1",
    "marts/total.sql": "SELECT SUM(d.plays) AS plays FROM marts.daily AS d",
    "checks/short.sql": "SELECT d.day, d.length FROM marts.daily AS d WHERE d.length < 1",
}
GOOD = {
    "tests/days/given/songplays.csv": "start_time,length\n"
    "2018-11-01 23:59:59.999,0.1\n2018-11-01,0.2\n2018-11-02,\n2018-11-02 12:00:00,7\n",
    "tests/days/expected/marts.daily.csv": "day,plays,length\n2018-11-02,2,7\n2018-11-01,2,0.3\n",
    "tests/days/expected/checks.short.csv": "day\n2018-11-01\n",
    # A model's own rows are given: its SELECT is not asked.
    "tests/given model/given/marts.daily.csv": "plays\n3\n4\n",
    "tests/given model/expected/marts.total.csv": "plays\n7\n",
    # Nothing given: no rows, a sum of nothing.
    "tests/nothing/expected/marts.daily.csv": "day,plays\n",
    "tests/nothing/expected/marts.total.csv": 'plays\n""\n',
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPARKIFY_DWH_MODELS", "models")
    return write_folder(tmp_path / "models", MODELS | GOOD)


def test_cases_that_hold(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is left behind, neither a warehouse nor a file."""
    assert run(["test", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"]
    assert [(each["case"], each["table"], each["rows"]) for each in told["cases"]] == [
        ("days", "checks.short", 1),
        ("days", "marts.daily", 2),
        ("given model", "marts.total", 1),
        ("nothing", "marts.daily", 0),
        ("nothing", "marts.total", 1),
    ]
    assert [path.name for path in folder.parent.iterdir()] == ["models"]


def test_rows_that_differ_are_shown_beside_each_other(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(folder, {"tests/days/expected/marts.daily.csv": "day,plays\n2018-11-01,2\n2018-11-02,3\n"})
    assert run(["test", "days"]) == 3
    said = capsys.readouterr()
    lines = [" ".join(line.split()) for line in said.out.splitlines()]
    assert "computed 2018-11-02 2" in lines
    assert lines[lines.index("computed 2018-11-02 2") + 1] == "expected 2018-11-02 3"
    assert not [line for line in lines if "2018-11-01 2" in line]
    assert "sparkify test days" in said.err


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"marts/total.sql": "SELECT SUM(d.days)\nFROM marts.daily AS d"}, "total.sql, line 1"),
        ({"checks/short.sql": "SELECT 1 AS a\nFROM marts.daily AS d\nWHERE d.big < 1"}, "short.sql, line 3"),
        ({"tests/x/expected/marts.none.csv": "day\n"}, "marts.none"),
        ({"tests/x/given/none.csv": "day\n", "tests/x/expected/marts.total.csv": "plays\n0\n"}, "none"),
        ({"tests/x/expected/marts.total.csv": "days\n0\n"}, "no column days"),
        ({"tests/x/expected/marts.total.csv": "plays\nmany\n"}, "marts.total.csv"),
        ({"tests/x/expected/marts.total.csv": "plays\n1,2\n"}, "marts.total.csv, line 2"),
        ({"tests/x/given/songplays.csv": "length\n1\n"}, "expects nothing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_file(
    folder: Path, files: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(folder, files)
    assert run(["test"]) == 1
    assert said in capsys.readouterr().err


def test_without_a_folder_there_is_nothing_to_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["test"]) == 2
