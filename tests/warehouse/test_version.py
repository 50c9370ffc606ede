"""A warehouse has a version: an older one becomes one of today, all or nothing; a newer one is refused."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.cli.app import COMMANDS, run
from sparkify.intake import rules
from sparkify.warehouse import statements, version
from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine
from sparkify.warehouse.models import MODELS
from sparkify.warehouse.statements import Statement, digest, read_statements
from sparkify.warehouse.version import models_digest, schema_version
from tests.conftest import S3Server
from tests.contents import hash_tables, plays_nobody_would_find
from tests.loading import etl
from tests.old_warehouses import VERSIONS, Restored, restore, restore_on
from tests.records import TS, play, song, write_records
from tests.warehouses import ENGINES, OnRedshift, Place, Warehouses, options_of, rows
from tools.redshift_double import Fault

pytestmark = pytest.mark.as_owner("an upgrade changes tables")
each_engine = pytest.mark.parametrize("engine", ENGINES)
each_version = pytest.mark.parametrize("old_version", VERSIONS)


@pytest.fixture
def restored(warehouses: Warehouses, s3: S3Server, tmp_path: Path) -> Callable[[str, int], Restored]:
    return lambda engine, number: restore_on(engine, number, tmp_path / "old", warehouses, s3)


def command(place: Place, *arguments: str) -> int:
    return run([*arguments, *options_of(place)])


def meta(place: Place) -> tuple[Any, ...]:
    ((*row,),) = rows(place, "SELECT schema_version, rules_version, models_digest FROM etl.meta")
    return tuple(row)


def loaded(place: Place, state: str) -> set[str]:
    return {uri for (uri,) in rows(place, "SELECT uri FROM etl.files WHERE state = %s", [state])}


@each_engine
@each_version
def test_an_upgraded_warehouse_is_one_that_was_loaded_today(
    restored: Callable[[str, int], Restored],
    warehouses: Warehouses,
    tmp_path: Path,
    engine: str,
    old_version: int,
    capsys: pytest.CaptureFixture[str],
):
    """By hash, every table; what the lake has no more, or was retracted, is retracted from both.

    And of contents that are listed twice, the second: today they are loaded once.
    """
    old = restored(engine, old_version)
    capsys.readouterr()
    assert command(old.place, "upgrade", "--json", *_sources(old)) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["upgrade"]["from_version"] == old_version
    assert meta(old.place) == (schema_version(), version.RULES_VERSION, models_digest())
    assert command(old.place, "check") == 0
    assert not plays_nobody_would_find(old.place)
    gone = _gone(old, capsys)
    new = warehouses.new(engine, tmp_path / "new")
    assert etl(new, old.log_data, old.song_data, "--max-rejects", "100%", "--lenient") == 0
    copies = loaded(new, "copy")
    for uri in (gone | copies) & loaded(old.place, "loaded"):
        assert command(old.place, "retract", uri, "--yes") == 0
    for uri in loaded(old.place, "retracted") - gone - copies:
        assert command(new, "retract", uri, "--yes") == 0
    assert hash_tables(old.place, file_ids=True) == hash_tables(new, file_ids=True)


def _sources(old: Restored) -> list[str]:
    return ["--log-data", old.log_data, "--song-data", old.song_data]


def _gone(old: Restored, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """Return the loaded files that the lake does not have any more."""
    capsys.readouterr()
    assert etl(old.place, old.log_data, old.song_data, "--plan", "--json") == 0
    found = json.loads(capsys.readouterr().out)["plan"]["gone"]
    assert found
    return set(found)


@each_engine
@each_version
def test_etl_upgrades_before_it_loads_and_says_so(
    restored: Callable[[str, int], Restored],
    engine: str,
    old_version: int,
    capsys: pytest.CaptureFixture[str],
):
    old = restored(engine, old_version)
    before = hash_tables(old.place, file_ids=True, newer=False)
    capsys.readouterr()
    assert etl(old.place, old.log_data, old.song_data, "--plan", "--json") == 0
    planned = json.loads(capsys.readouterr().out)["plan"]["upgrade"]
    assert (planned["from_version"], bool(planned["migrations"])) == (
        old_version,
        old_version < schema_version(),
    )
    assert hash_tables(old.place, file_ids=True, newer=False) == before
    assert etl(old.place, old.log_data, old.song_data, "--lenient", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["plan"]["upgrade"] == planned
    assert meta(old.place) == (schema_version(), version.RULES_VERSION, models_digest())
    after = hash_tables(old.place, file_ids=True, newer=False)
    # A log that was delivered twice is read again for its rejects, and is a copy now.
    assert {**after, "staging_events": ""} == {**before, "staging_events": ""}
    assert etl(old.place, old.log_data, old.song_data, "--json") == 0
    assert json.loads(capsys.readouterr().out)["runs"] == []


class Killed(BaseException):
    """The process is gone."""


@each_version
@pytest.mark.thorough
def test_killed_at_any_statement_an_upgrade_leaves_the_old_warehouse_and_is_done_again(
    tmp_path: Path, old_version: int, monkeypatch: pytest.MonkeyPatch
):
    """On DuckDB: whatever statement is the last, readers find the old tables, and nothing of the new."""
    old = restore(old_version, tmp_path / "old")
    assert isinstance(old.place, Path)
    place = tmp_path / "w.duckdb"
    execute = DuckDBEngine._run
    before = hash_tables(old.place, file_ids=True, ledger=True, newer=False)
    number, done = 0, False
    while not done:
        number += 1
        shutil.copy(old.place, place)
        left = number

        def dying(self: DuckDBEngine, *arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed
            return execute(self, *arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(DuckDBEngine, "_run", dying)
            patch.setattr(DuckDBEngine, "execute", _through_run)
            with suppress(Killed):
                done = command(place, "upgrade") == 0
        if not done:
            found = hash_tables(place, file_ids=True, newer=False)
            assert {name: before[name] for name in found} == found, number
            # Every statement until the tables are migrated, then every eighth of those that compute the star.
            number += 7 * _is_migrated(place)
            assert command(place, "upgrade") == 0
        assert meta(place) == (schema_version(), 1, models_digest())
    assert command(place, "upgrade", "--plan") == 0
    assert number > 20


def _is_migrated(place: Path) -> bool:
    return bool(
        rows(place, "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'etl' AND table_name = 'meta'")
    )


def _through_run(self: DuckDBEngine, step: Statement, **parameters: Any) -> list[tuple[Any, ...]]:
    found = self._run(self.translate(step), step.pick(parameters))
    return found.fetchall() if found.description else []


@each_version
@pytest.mark.thorough
def test_a_fault_at_any_statement_leaves_the_old_warehouse_on_redshift(
    restored: Callable[[str, int], Restored], old_version: int
):
    old = restored("redshift", old_version)
    place = old.place
    assert isinstance(place, OnRedshift)
    before = hash_tables(place, file_ids=True, newer=False)
    place.server.statements.clear()
    number, done = 0, False
    try:
        while not done:
            number += 1
            place.server.faults.arm(Fault("refuse", at=number))
            done = command(place, "upgrade") == 0
            place.server.faults.clear()
            if not done:
                assert hash_tables(place, file_ids=True, newer=False) == before
                assert "etl.meta" not in _tables(place) or meta(place)[0] in (old_version, schema_version())
            number += 6
    finally:
        place.server.faults.clear()
    assert meta(place) == (schema_version(), 1, models_digest())


def _tables(place: Place) -> set[str]:
    return {
        name
        for (name,) in rows(place, "SELECT table_schema || '.' || table_name FROM information_schema.tables")
    }


# What a command is given, so that it would do something.
ARGUMENTS = {
    "query": ["SELECT 1"],
    "export": ["OUT"],
    "report": ["-o", "OUT"],
    "why": ["1"],
    "undo": ["1", "--yes"],
    "retract": ["/nowhere", "--yes"],
    "forget": ["1", "--yes"],
    "retain": ["--older-than", "1d", "--yes"],
    "create-tables": ["--drop", "--yes"],
}
SUB_COMMANDS = {
    "rejects": [["list"], ["show"], ["export", "OUT"], ["replay"]],
    "fields": [["list"], ["adopt", "more", "--kind", "events", "--type", "BIGINT"], ["drop", "more"]],
}
# These have nothing to do with a warehouse that exists.
OTHERS = {"demo", "simulate", "init", "docs", "cluster", "test", "prove", "diff"}


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in OTHERS])
def test_a_newer_warehouse_is_refused_by_every_command(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
):
    lake = tmp_path / "lake"
    place = tmp_path / "w.duckdb"
    write_records(lake / "log_data" / "1.json", play())
    assert etl(place, lake / "log_data") == 0
    with duckdb.connect(str(place)) as connection:
        connection.execute("UPDATE etl.meta SET schema_version = 9999")
    before = place.read_bytes()
    logs = ["--log-data", str(lake / "log_data")]
    for more in SUB_COMMANDS.get(name, [ARGUMENTS.get(name, [])]):
        given = [str(tmp_path / "out.json") if each == "OUT" else each for each in more]
        takes_logs = name in ("etl", "upgrade", "doctor") or more == ["replay"]
        capsys.readouterr()
        code = command(place, name, *given, *(logs if takes_logs else []))
        said = " ".join(capsys.readouterr())
        assert code == (1 if name == "doctor" else 2), (name, more)
        assert "newer" in said
        assert place.read_bytes() == before


def test_readers_open_an_older_warehouse_and_name_the_upgrade(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    old = restore(0, tmp_path / "old")
    assert isinstance(old.place, Path)
    before = old.place.read_bytes()
    for arguments in (
        ["query", "SELECT COUNT(*) FROM songplays"],
        ["check"],
        ["runs"],
        ["files"],
        ["fields", "list"],
        ["rejects", "list"],
        ["rejects", "show"],
        ["rejects", "export", str(tmp_path / "events.json"), "--kind", "events"],
    ):
        capsys.readouterr()
        assert command(old.place, *arguments) == 0
        assert "sparkify upgrade" in capsys.readouterr().err
    assert old.place.read_bytes() == before


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str, str], None]]:
    """Changes the text of a model, as another release would."""
    real = statements.read_statements

    def change(path: str, old: str, new: str) -> None:
        def read(asked: str) -> tuple[Statement, ...]:
            steps = real(asked)
            if asked != path:
                return steps
            assert any(old in step.text for step in steps)
            return tuple(Statement(step.text.replace(old, new), step.path, step.line) for step in steps)

        for module in (version, __import__("sparkify.pipeline.transform", fromlist=["transform"])):
            monkeypatch.setattr(module, "read_statements", read)

    yield change
    monkeypatch.undo()


LEVEL = ("star/songplays.sql", "NULLIF(RTRIM(p.level, ' '), '') AS level", "UPPER(p.level) AS level")


@each_engine
@pytest.mark.parametrize("by", ["etl", "upgrade", "nothing new", "retract"])
def test_a_changed_model_leaves_one_definition_in_the_fact_table(
    warehouses: Warehouses,
    tmp_path: Path,
    changed: Callable[[str, str, str], None],
    engine: str,
    by: str,
    capsys: pytest.CaptureFixture[str],
):
    lake = tmp_path / "lake"
    place = warehouses.new(engine, tmp_path / "place")
    write_records(lake / "song_data" / "1.json", song())
    write_records(lake / "log_data" / "1.json", play(), play(ts=TS + 1, level="paid"))
    gone = write_records(lake / "log_data" / "2.json", play(ts=TS + 2))
    sources = (lake / "log_data", lake / "song_data")
    assert etl(place, *sources) == 0
    changed(*LEVEL)
    capsys.readouterr()
    assert etl(place, *sources, "--plan", "--json") == 0
    assert json.loads(capsys.readouterr().out)["plan"]["upgrade"]["models"] == ["songplays"]
    if by == "upgrade":
        assert command(place, "upgrade") == 0
    elif by == "retract":
        assert command(place, "retract", str(gone), "--yes") == 0
    else:
        if by == "etl":
            write_records(lake / "log_data" / "3.json", play(ts=TS + 3))
        assert etl(place, *sources) == 0
    assert {level for (level,) in rows(place, "SELECT level FROM songplays")} == {"FREE", "PAID"}
    assert etl(place, *sources, "--json") == 0
    incremental = hash_tables(place)
    assert etl(place, *sources, "--full-refresh") == 0
    assert hash_tables(place) == incremental


def test_after_a_changed_model_nothing_more_is_computed_anew(
    tmp_path: Path, changed: Callable[[str, str, str], None], capsys: pytest.CaptureFixture[str]
):
    place = tmp_path / "w.duckdb"
    write_records(tmp_path / "log_data" / "1.json", play())
    assert etl(place, tmp_path / "log_data") == 0
    changed(*LEVEL)
    modes = []
    for number in range(3):
        write_records(tmp_path / "log_data" / f"{number + 2}.json", play(ts=TS + number + 2))
        capsys.readouterr()
        assert etl(place, tmp_path / "log_data", None, "--json") == 0
        told = json.loads(capsys.readouterr().out)
        modes.append((told["plan"]["upgrade"]["models"], told["runs"][0]["songplays"]))
    # A run that computes the star anew counts all plays, an incremental one those of its own range.
    assert modes == [(["songplays"], 2), ([], 1), ([], 1)]


def test_files_with_rejects_are_read_again_when_the_rules_have_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    place, logs = tmp_path / "w.duckdb", tmp_path / "log_data"
    write_records(logs / "1.json", play(), play(ts=6))
    write_records(logs / "2.json", play(ts=TS + 1))
    assert etl(place, logs, None, "--max-rejects", "1") == 0
    judge = rules._apply

    def mended(rule: Any, values: Any) -> None:
        if values["ts"] != 6:
            judge(rule, values)

    monkeypatch.setattr(rules, "_apply", mended)
    monkeypatch.setattr(version, "RULES_VERSION", 99)
    capsys.readouterr()
    assert etl(place, logs, None, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["plan"]["upgrade"]["rules"]
    assert [(each["uri"][-6:], each["state"]) for each in told["plan"]["files"]] == [("1.json", "changed")]
    assert rows(place, "SELECT ts FROM staging_events ORDER BY ts") == [(6,), (TS,), (TS + 1,)]
    assert meta(place)[1] == 99
    assert etl(place, logs, None, "--json") == 0
    assert json.loads(capsys.readouterr().out)["runs"] == []


def test_rules_stay_the_old_ones_where_files_with_rejects_cannot_be_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """An upgrade that is not told where they are leaves it to the next run that is."""
    place, logs = tmp_path / "w.duckdb", tmp_path / "log_data"
    write_records(logs / "1.json", play(), play(ts=6))
    write_records(tmp_path / "song_data" / "1.json", song())
    assert etl(place, logs, None, "--max-rejects", "1") == 0
    before = meta(place)[1]
    monkeypatch.setattr(version, "RULES_VERSION", 99)
    for arguments in (["upgrade"], ["etl", "--song-data", str(tmp_path / "song_data")]):
        assert command(place, *arguments) == 0
        assert meta(place)[1] == before
    assert etl(place, logs, None, "--max-rejects", "1", "--json") == 0
    assert meta(place)[1] == 99


COMMENTS = st.sampled_from(["-- a comment, it's one\n", "/* another: 'a */", "\n", "  ", "\t"])


@given(st.data())
def test_comments_and_layout_do_not_change_a_models_digest(data: st.DataObject):
    steps = read_statements(data.draw(st.sampled_from(MODELS)))
    spaced = []
    for step in steps:
        code = "\n".join(line for line in step.text.splitlines() if not line.strip().startswith("--"))
        places = st.sampled_from([at for at, character in enumerate(code + "\n") if character == "\n"])
        for at in sorted(data.draw(st.sets(places, max_size=4)), reverse=True):
            code = code[:at] + " " + data.draw(COMMENTS) + " " + code[at:]
        spaced.append(Statement(code, step.path, step.line))
    assert digest(spaced) == digest(steps)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT 'a'", "SELECT 'A'"),
        ("SELECT 'a b'", "SELECT 'a  b'"),
        ("SELECT a -- b", "SELECT a, b"),
        ("SELECT '--a'", "SELECT '--b'"),
        ("SELECT a b", "SELECT ab"),
        ("SELECT 1", "SELECT 2"),
        ('SELECT "a"', 'SELECT "A"'),
    ],
)
def test_what_means_another_thing_has_another_digest(one: str, other: str):
    assert digest([Statement(one, "a.sql", 1)]) != digest([Statement(other, "a.sql", 1)])


def test_migrations_are_numbered_without_a_gap():
    numbers = [version._number(path) for path in statements.list_files("migrations")]
    assert numbers == list(range(1, len(numbers) + 1))


@each_engine
@each_version
def test_migrated_tables_are_those_that_are_made_today(
    restored: Callable[[str, int], Restored],
    warehouses: Warehouses,
    tmp_path: Path,
    engine: str,
    old_version: int,
):
    """The same columns of the same types in every table, in whatever order."""
    old, new = restored(engine, old_version), warehouses.new(engine, tmp_path / "new")
    assert command(old.place, "upgrade") == 0
    assert command(new, "create-tables") == 0
    sql = (
        "SELECT table_schema, table_name, column_name, data_type, is_nullable "
        "FROM information_schema.columns "
        "WHERE table_schema IN ('public', 'main', 'etl')"
    )
    assert set(rows(old.place, sql)) == set(rows(new, sql))


def test_a_file_of_a_newer_duckdb_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """What it says is what is so, and nobody is told to move it away: the ledger is in it.

    The words are those of DuckDB 1.5 for a file of DuckDB 2.0 (seen so); its header has a check sum.
    """
    place = tmp_path / "w.duckdb"
    assert command(place, "create-tables") == 0
    before = place.read_bytes()
    words = (
        "IO Error: Trying to read a database file with version number 69, but we can only read versions "
        f'between 64 and 68.\nThe database file "{place}" was created with DuckDB version v2.0.0.'
    )

    class Older:
        """A connection of an older DuckDB: it opens no warehouse."""

        def __init__(self, real: duckdb.DuckDBPyConnection) -> None:
            self._real = real

        def execute(self, sql: str, *arguments: Any) -> Any:
            if sql.startswith("ATTACH"):
                raise duckdb.IOException(words)
            return self._real.execute(sql, *arguments)

        def close(self) -> None:
            self._real.close()

    connect = DuckDBEngine._connect
    monkeypatch.setattr(DuckDBEngine, "_connect", lambda self: Older(connect(self)))
    for arguments in (["check"], ["query", "SELECT 1"], ["runs"], ["create-tables"]):
        capsys.readouterr()
        assert command(place, *arguments) == 1
        said = capsys.readouterr().err
        assert "newer DuckDB" in said
        assert "move" not in said
    assert place.read_bytes() == before


def test_new_files_are_readable_by_older_duckdb(tmp_path: Path):
    """By the format in their header: DuckDB 1.4 and 1.5 read up to 67, says DuckDB's documentation."""
    place = tmp_path / "w.duckdb"
    assert command(place, "create-tables") == 0
    assert int.from_bytes(place.read_bytes()[12:20], "little") <= 67


def test_the_old_warehouses_are_packed():
    """Small, and never real data: as the fixture of version 0 was made."""
    for number in VERSIONS:
        folder = Path(__file__).parents[1] / "fixtures" / "warehouses" / f"v{number}"
        assert sum(path.stat().st_size for path in folder.iterdir()) < 1_000_000
        with gzip.open(folder / "warehouse.duckdb.gz") as file:
            assert file.read(12)[8:] == b"DUCK"
