"""A reader that closes the pipe changes nothing: every command does its work and exits as without a pipe."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from sparkify.cli.app import run
from tests.cli.pipes import BOTH, STDOUT, contents, leaves, run_unread
from tests.records import TS, play, song, write_records

LEAVES = [path for path in leaves() if path[0] != "cluster"]  # those are in tests/cluster
LAKE = ("--log-data", "log_data", "--song-data", "song_data")


def nothing(_: Path) -> None:
    """Leave the warehouse as it is."""


def damaged(folder: Path) -> None:
    """Remove users behind the warehouse's back."""
    with duckdb.connect(str(folder / "sparkify.duckdb")) as warehouse:
        warehouse.execute("DELETE FROM users")


def other(folder: Path) -> None:
    """Have another warehouse, without users."""
    shutil.copy(folder / "sparkify.duckdb", folder / "other.duckdb")
    with duckdb.connect(str(folder / "other.duckdb")) as warehouse:
        warehouse.execute("DELETE FROM users")


def older(folder: Path) -> None:
    """Have a star that other models have computed."""
    with duckdb.connect(str(folder / "sparkify.duckdb")) as warehouse:
        warehouse.execute("UPDATE etl.meta SET models_digest = ''")


def gone(folder: Path) -> None:
    (folder / "sparkify.duckdb").unlink()


def more(folder: Path) -> None:
    write_records(folder / "log_data" / "2.json", play(ts=TS + 1, userId="2"))


def unreadable(folder: Path) -> None:
    (folder / "log_data" / "2.json").write_text("no JSON\n" * 20)


def cases(folder: Path) -> None:
    """Have a model, and a case of it."""
    with (folder / "dwh.cfg").open("a") as config:
        config.write("[DWH]\nMODELS = models\n")
    for name, text in {
        "marts/people.sql": "SELECT u.user_id FROM users AS u",
        "tests/one/given/users.csv": "user_id\n1\n",
        "tests/one/expected/marts.people.csv": "user_id\n1\n",
    }.items():
        path = folder / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def retracted(folder: Path) -> None:
    assert run(["retract", str(folder / "log_data" / "1.json"), "--yes"]) == 0


def simulated(folder: Path) -> None:
    assert run(["simulate", str(folder / "out"), "--songs", "3", "--users", "2", "--days", "1"]) == 0


# What precedes it, what is added to the command's words, and what it exits with.
Case = tuple[Callable[[Path], None], tuple[str, ...], int]
_SMALL = ("simulate", "out", "--songs", "5", "--users", "3", "--days", "1", "--seed", "7")
CASES: dict[tuple[str, ...], list[Case]] = {
    ("demo",): [(nothing, ("demo", "log_data"), 2)],  # writes over nothing; the rest of it is etl
    ("simulate",): [
        (nothing, _SMALL, 0),
        (simulated, (*_SMALL, "--force"), 0),
        (simulated, _SMALL, 1),
        (nothing, ("simulate", "--print-config"), 0),
    ],
    ("init",): [(nothing, ("init", "new.cfg"), 0), (nothing, ("init", "dwh.cfg"), 2)],
    ("create-tables",): [
        (nothing, ("create-tables", "--drop", "--yes"), 0),
        (nothing, ("create-tables", "--drop"), 2),
        (gone, ("create-tables",), 0),
    ],
    ("etl",): [
        (more, ("etl", *LAKE), 0),
        (more, ("etl", "--json", *LAKE), 0),
        (more, ("etl", "--plan", "--sql", *LAKE), 0),
        (unreadable, ("etl", *LAKE), 3),
    ],
    ("upgrade",): [(nothing, ("upgrade",), 0), (older, ("upgrade", "--plan"), 0), (older, ("upgrade",), 0)],
    ("forget",): [
        (nothing, ("forget", "1", "--plan"), 0),
        (nothing, ("forget", "9", "--yes", "--json"), 0),
        (nothing, ("forget",), 2),
    ],
    ("retain",): [
        (nothing, ("retain", "--older-than", "1d", "--as-of", "2018-11-02", "--plan"), 0),
        (nothing, ("retain", "--older-than", "1d", "--as-of", "2018-11-09", "--yes", "--json"), 0),
        (nothing, ("retain", "--older-than", "long"), 2),
    ],
    ("compact",): [(nothing, ("compact",), 0), (gone, ("compact",), 1)],
    ("check",): [(nothing, ("check",), 0), (damaged, ("check",), 3), (damaged, ("check", "--json"), 3)],
    ("test",): [(cases, ("test",), 0), (cases, ("test", "--json"), 0), (nothing, ("test",), 2)],
    ("query",): [
        (nothing, ("query", "SELECT * FROM range(300000)"), 0),
        (nothing, ("query", "SELECT * FROM users", "-o", "users.csv"), 0),
        (nothing, ("query", "SELECT nonsense"), 1),
    ],
    ("export",): [
        (nothing, ("export", "star", "--format", "csv"), 0),
        (nothing, ("export", "star", "--table", "nothing"), 2),
    ],
    ("docs",): [(nothing, ("docs", "-o", "pages"), 0)],
    ("diff",): [
        (nothing, ("diff", "sparkify.duckdb", "sparkify.duckdb"), 0),
        (other, ("diff", "sparkify.duckdb", "other.duckdb", "--json"), 3),
        (nothing, ("diff", "sparkify.duckdb", "nope.duckdb"), 2),
    ],
    ("why",): [
        (nothing, ("why", "--song", "title", "--artist", "Artist"), 0),
        (nothing, ("why", "1"), 1),
        (gone, ("why", "1"), 1),
    ],
    ("report",): [
        (nothing, ("report", "-o", "/dev/null"), 0),
        (nothing, ("report", "--json"), 0),
        (gone, ("report",), 1),
    ],
    ("runs",): [(nothing, ("runs",), 0), (gone, ("runs",), 1)],
    ("files",): [(nothing, ("files",), 0)],
    ("fields", "list"): [(nothing, ("fields", "list"), 0)],
    ("fields", "adopt"): [
        (nothing, ("fields", "adopt", "more", "--kind", "events", "--type", "BIGINT"), 0),
        (nothing, ("fields", "adopt", "more"), 2),
    ],
    ("fields", "drop"): [(nothing, ("fields", "drop", "more"), 2)],
    ("rejects", "list"): [(nothing, ("rejects", "list"), 0)],
    ("rejects", "show"): [(nothing, ("rejects", "show"), 0)],
    ("rejects", "export"): [(nothing, ("rejects", "export", "bad.json"), 0)],
    ("rejects", "replay"): [(nothing, ("rejects", "replay", *LAKE), 0)],
    ("undo",): [(nothing, ("undo", "1", "--yes"), 0), (nothing, ("undo", "9", "--yes"), 1)],
    ("retract",): [
        (nothing, ("retract", "log_data/1.json", "--yes"), 0),
        (retracted, ("retract", "log_data/1.json", "--back"), 0),
        (nothing, ("retract", "log_data/*", "nothing.json", "--yes"), 2),
    ],
    ("prove",): [(nothing, ("prove", "--yes"), 2)],  # there is no cluster; more is in tests/proof
    ("doctor",): [(nothing, ("doctor", *LAKE), 0), (nothing, ("doctor", "--database", "/nope/x.duckdb"), 1)],
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake, loaded into a warehouse beside it, with a reject; it is copied to ``place`` for each run."""
    place = tmp_path_factory.mktemp("pipes") / "place"
    write_records(place / "log_data" / "1.json", play(), play(ts=TS + 5, page="Home"))
    write_records(place / "song_data" / "1.json", song())
    with (place / "log_data" / "1.json").open("a") as log:
        log.write("no JSON\n")
    (place / "dwh.cfg").write_text("[S3]\nLOG_DATA = log_data\nSONG_DATA = song_data\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(place)
        assert run(["etl", *LAKE, "--max-rejects", "1"]) == 0
    shutil.copytree(place, place.parent / "kept")
    return place


@pytest.mark.usefixtures("sparkify")  # no settings from the environment, and an empty folder
@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_without_readers_a_command_works_and_exits_as_with_them(
    path: tuple[str, ...], loaded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, (prepare, arguments, code) in enumerate(CASES[path]):
        assert arguments[: len(path)] == path
        wanted = None
        for gone in ((), STDOUT, BOTH) if number == 0 else ((), STDOUT):
            shutil.rmtree(loaded)
            shutil.copytree(loaded.parent / "kept", loaded)
            with monkeypatch.context() as patched:
                patched.chdir(loaded)
                prepare(loaded)
                found = run_unread(arguments, loaded, gone) if gone else run(arguments)
            assert found == code, (arguments, gone)
            wanted = wanted or contents(loaded)
            assert contents(loaded) == wanted, (arguments, gone)
