"""What DuckDB refuses is one sentence and a next step, whatever the file is and whatever is asked."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from sparkify.cli.app import run
from tests.loading import etl
from tests.records import play, song, write_records

Errors = Callable[..., tuple[int, list[str]]]
NAME = "Name another file with --database or [DWH] DATABASE:"
MAKES = "`sparkify etl` or `sparkify create-tables` makes"


@pytest.fixture
def errors(capsys: pytest.CaptureFixture[str]) -> Errors:
    """Run a command on a file; give its exit code and what it said to people."""

    def call(path: Path, *arguments: str) -> tuple[int, list[str]]:
        capsys.readouterr()
        places = ["--config", os.devnull, "--database", str(path)]
        code = run([*arguments, *places])
        # Commands are named with these options, of which tests/cli/test_typed.py is.
        return code, capsys.readouterr().err.replace(" " + shlex.join(places) + "`", "`").splitlines()

    return call


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lake = tmp_path_factory.mktemp("lake")
    write_records(lake / "log_data" / "1.json", play())
    write_records(lake / "song_data" / "1.json", song())
    return lake


@pytest.fixture(scope="module")
def loaded(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse; not to be written to."""
    path = tmp_path_factory.mktemp("loaded") / "w.duckdb"
    assert etl(path, lake / "log_data", lake / "song_data") == 0
    return path


@pytest.fixture(params=["check", "query", "runs", "files", "create-tables", "etl"])
def command(request: pytest.FixtureRequest, lake: Path) -> list[str]:
    """Every kind of command that opens the warehouse."""
    more = {
        "query": ["SELECT 1"],
        "etl": [f"--log-data={lake}/log_data", f"--song-data={lake}/song_data"],
    }
    return [request.param, *more.get(request.param, [])]


@pytest.mark.parametrize(
    ("name", "contents"),
    [("x.json", '{"a": 1}\n'), ("notes.txt", "no database, " * 9), ("x.csv", "a,b\n1,2\n")],
)
def test_a_file_that_is_something_else(
    tmp_path: Path, errors: Errors, command: list[str], name: str, contents: str
):
    """DuckDB would take a .json file for a database in memory, and keep nothing of what is written to it."""
    path = tmp_path / name
    path.write_text(contents)
    code, said = errors(path, *command)
    assert (code, said[0]) == (1, f"Error: {path} is not a DuckDB database.")
    assert said[1:] == [f"Try: {NAME} etl or create-tables makes it."]
    assert path.read_text() == contents


def test_an_empty_file(tmp_path: Path, errors: Errors, command: list[str]):
    path = tmp_path / "w.duckdb"
    path.touch()
    code, said = errors(path, *command)
    assert (code, said[0]) == (1, f"Error: {path} is an empty file, not a DuckDB database.")
    assert said[1].startswith(f"Try: Remove it: {MAKES} it anew.")
    path.unlink()
    assert errors(path, "create-tables")[0] == 0, "as it says"


@pytest.mark.parametrize("name", [":memory:", ":memory:x", "a?b/w.duckdb", "w\udcff.duckdb"])
def test_a_name_that_duckdb_cannot_keep_a_file_under(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, errors: Errors, command: list[str], name: str
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a?b").mkdir()
    code, said = errors(Path(name), *command)
    assert (code, said[1]) == (2, "Try: Name a file with --database or [DWH] DATABASE.")
    assert [each.name for each in tmp_path.rglob("*")] == ["a?b"]


def test_a_folder(tmp_path: Path, errors: Errors, command: list[str]):
    assert errors(tmp_path, *command) == (
        1,
        [
            f"Error: {tmp_path} is a folder, not a DuckDB database.",
            f"Try: Name another file with --database or [DWH] DATABASE, such as {tmp_path}/sparkify.duckdb.",
        ],
    )
    assert not list(tmp_path.iterdir())


def test_a_database_that_was_cut_short(tmp_path: Path, loaded: Path, errors: Errors, command: list[str]):
    path = tmp_path / "w.duckdb"
    path.write_bytes(loaded.read_bytes()[:5000])
    code, (error, hint) = errors(path, *command)
    assert code == 1
    assert error.startswith(f"Error: {path} cannot be read: ")
    assert hint.startswith("Try: If it is damaged, move it away: `sparkify etl` loads the lake anew.")


@pytest.mark.parametrize("command", [["check"], ["query", "SELECT 1"], ["runs"], ["rejects", "list"]])
def test_no_warehouse_is_said_with_its_name(tmp_path: Path, errors: Errors, command: list[str]):
    missing, other = tmp_path / "w.duckdb", tmp_path / "other.duckdb"
    duckdb.connect(str(other)).close()
    hint = f"Try: {MAKES} it; or name another with --database or --config."
    assert errors(missing, *command) == (
        1,
        [f"Error: there is no warehouse yet: {missing} does not exist.", hint],
    )
    assert errors(other, *command) == (
        1,
        [f"Error: there is no warehouse yet: the tables are missing in {other}.", hint],
    )


def test_a_warehouse_may_end_in_json(tmp_path: Path, errors: Errors):
    path = tmp_path / "w.json"
    assert errors(path, "create-tables")[0] == 0
    assert errors(path, "check") == (0, [])


@pytest.mark.parametrize(
    ("sql", "said", "hint"),
    [
        ("SELECT lvl FROM songplays", '"lvl" not found', '"level" or "length", if that was meant.'),
        ("SELECT songplays.levl FROM songplays", '"levl"', '"level" or "length", if that was meant.'),
        ("SELECT a.level FROM songplays", '"a" not found', '"songplays", if that was meant.'),
        ("SELECT * FROM songplay", "songplay does not exist", '"songplays", if that was meant.'),
        ("SELECT * FROM runs", "runs does not exist", '"etl.runs", if that was meant.'),
        ("SELECT flor(1)", "flor does not exist", '"floor", if that was meant.'),
        (
            "SELECT artist FROM songs",
            '"artist" not found',
            '"artist_id", "artist_name", "duration", "year" or "title", if that was meant.',
        ),
        (
            "SELECT strlen(1, 2, 3)",
            "No function matches",
            "strlen(string VARCHAR) -> BIGINT, if that was meant.",
        ),
        (
            "SELECT * FROM zzzzzzzzzzzzzzzz",
            "does not exist",
            "Correct the name; SHOW ALL TABLES lists the tables and columns there are.",
        ),
        ("SELEC 1", "syntax error", "Correct the query: it is SQL in DuckDB's own dialect."),
        (
            "SELECT CASE WHEN range = 90000 THEN error('late') ELSE range END FROM range(100000)",
            "late",
            "Correct the query: it is SQL in DuckDB's own dialect.",
        ),
        (
            "SELECT * FROM 'songs.csv'",
            "songs.csv",
            "Ask for what is in the warehouse: a query uses no other file. -o FILE writes the answer to one.",
        ),
    ],
)
def test_a_refused_query_ends_with_the_best_next_step(
    loaded: Path, errors: Errors, sql: str, said: str, hint: str
):
    code, (error, tried) = errors(loaded, "query", sql)
    assert code == 1
    assert error.startswith("Error: DuckDB refused the query: ")
    assert said in error
    assert tried == f"Try: {hint}"


@pytest.mark.parametrize("sql", ["DELETE FROM songplays", "CREATE TABLE mine (a INT)", "DROP TABLE songs"])
def test_a_query_that_would_write_says_so(loaded: Path, errors: Errors, sql: str):
    code, (error, hint) = errors(loaded, "query", sql)
    assert code == 1
    assert error.startswith("Error: the query does not only look: ")
    assert hint == "Try: Ask with SELECT; use DuckDB itself to change what is not the pipeline's."
