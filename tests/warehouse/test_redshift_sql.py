"""Every statement that goes to Redshift: collected from the commands themselves, committed, and judged.

Renew ``golden/redshift.sql`` with ``UPDATE_GOLDEN=1 pytest tests/warehouse``, then read the diff. What chance
and the moment decide is replaced: times, folders, names of a run.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlfluff.core import FluffConfig, Linter

import sparkify
from sparkify.cli.app import run
from sparkify.records import EVENTS, KINDS
from sparkify.report.panels import spell_out
from sparkify.warehouse.derived import statements_of
from sparkify.warehouse.redshift import copying
from sparkify.warehouse.redshift.literals import fill
from sparkify.warehouse.statements import LOST, Statement, list_files, read_statements
from tests.conftest import S3Server
from tests.loading import etl
from tests.models import MODEL_FILES
from tests.records import TS, play, song, write_records
from tests.warehouse.test_deny_list import RULES, code
from tests.warehouses import OnRedshift, Warehouses, execute, options_of, rows

GOLDEN = Path(__file__).with_name("golden") / "redshift.sql"
SEPARATOR = ";\n\n"
# What `sparkify prove` asks, in tests/proof.
PROOF = ("redshift/proof", "redshift/probes")


def write_lake(lake: Path) -> None:
    """Files of every fate: as they should be, with a bad line, with a field more, in doubt."""
    write_records(lake / "log_data" / "1.json", play(), play(ts=TS + 1, page="Home", userId="2"))
    bad = write_records(lake / "log_data" / "2.json", play(ts=TS + 2, userId="it's \\ 3"))
    bad.write_text(bad.read_text() + "no JSON\n")
    write_records(lake / "log_data" / "3.json", play(ts=TS + 3) | {"more": "x"})
    (lake / "log_data" / "4.json").write_text("no JSON\n")
    write_records(lake / "log_data" / "5.json", play(ts=TS + 5))
    (lake / "log_data" / "6.json").write_text(json.dumps(play(ts=TS + 6)) + '\n{"ts":')
    write_records(
        lake / "log_data" / "8.json",
        play(ts=TS + 8, userId="8", song="Alone"),
        play(userId="8", sessionId=None),
    )
    write_records(lake / "song_data" / "1.json", song())
    write_records(lake / "song_data" / "2.json", song(song_id="SO2", year=1999.0))


def write_moved_lake(lake: Path) -> None:
    """The same elsewhere: a log and a song are others now, and a log lies there twice."""
    write_lake(lake)
    write_records(lake / "log_data" / "1.json", play(), play(ts=TS + 1, page="About", userId="2"))
    (lake / "log_data" / "4.json").write_bytes((lake / "log_data" / "3.json").read_bytes())
    write_records(lake / "song_data" / "1.json", song(year=2001))


def commands(place: OnRedshift, lake: str, folder: Path) -> None:
    """Send everything there is to send; the lake lies in that folder."""

    def command(*arguments: str) -> None:
        assert run([*arguments, *options_of(place)]) == 0, arguments

    sources = (f"{lake}/log_data", f"{lake}/song_data")
    command("create-tables")
    assert etl(place, *sources, "--max-rejects", "9") == 4
    assert etl(place, *sources, "--plan") == 0
    # A loaded file whose later version is set aside, and which is then what it was.
    changed = folder / "log_data" / "5.json"
    loaded = changed.read_text()
    changed.write_text("no JSON\n")
    write_records(folder / "log_data" / "7.json", play(ts=TS + 7))
    old = write_records(folder / "log_data" / "9.json", play(ts=TS - 90_000_000))
    assert etl(place, *sources, "--batch-bytes", "1") == 4
    changed.write_text(loaded)
    assert etl(place, *sources) == 0
    assert etl(place, *sources, "--full-refresh") == 0
    command("check")
    command("runs")
    command("files")
    command("fields", "list")
    change_fields(place, "adopt", "more", "--type", "VARCHAR(8)")
    assert etl(place, *sources, "--full-refresh") == 0
    change_fields(place, "drop", "more")
    command("export", str(folder / "star"), "--partition-by", "month")
    command("why", "--song", "it's", "--artist", "Artist", "--length", "1.5")
    ((play_id,),) = rows(place, "SELECT MIN(songplay_id) FROM songplays WHERE song_id IS NOT NULL")
    command("why", str(play_id))
    sparkify.open(config=place.config).user_features(datetime(2018, 11, 2, tzinfo=UTC)).rows()
    command("report", "--json")
    command("rejects", "list")
    command("rejects", "show", "--reason", "malformed_json", "--file", "2.json")
    assert run(["rejects", "replay", "--max-rejects", "9", *_sources(sources), *options_of(place)]) == 4
    forget_in_part(place, folder)
    uri = f"{lake}/log_data/1.json"
    assert run(["retract", "--back", uri, *options_of(place)]) == 1  # it is loaded
    command("retract", uri, "--yes")
    command("retract", "--back", uri)
    assert etl(place, *sources) == 0
    # As a warehouse that was made before contents were kept.
    execute(place, "UPDATE etl.files SET content = NULL")
    moved = (f"{lake}-moved/log_data", f"{lake}-moved/song_data")
    assert etl(place, *moved, "--max-rejects", "9") == 0
    command("forget", "8", "--yes")
    command("retain", "--older-than", "1d", "--as-of", "2018-11-02", "--yes")
    write_records(old, play(ts=TS - 90_000_000), play(ts=TS + 90_000_000))
    command("undo", "1", "--yes")
    compute_by_day(place, folder, sources, uri)
    command("create-tables", "--drop", "--yes")
    (folder / "log_data" / "7.json").unlink()
    old.unlink()


def change_fields(place: OnRedshift, *words: str) -> None:
    """Adopt or drop a field, as if there were many different values."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(copying, "MOST_CHARACTERS", 0)
        assert run(["fields", *words, *options_of(place)]) == 0


def compute_by_day(place: OnRedshift, folder: Path, sources: tuple[str, str], uri: str) -> None:
    """Have a model of one's own that is computed by day, and take out a file of one."""
    model = folder / "models" / "marts" / "daily.sql"
    model.parent.mkdir(parents=True, exist_ok=True)
    model.write_text(
        "-- materialized: incremental\n-- day: day\n"
        "SELECT CAST(p.start_time AS DATE) AS day, COUNT(*) AS plays\n"
        "FROM songplays AS p\nGROUP BY CAST(p.start_time AS DATE);\n"
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SPARKIFY_DWH_MODELS", str(folder / "models"))
        assert etl(place, *sources, "--max-rejects", "9") == 0
        assert run(["retract", uri, "--yes", *options_of(place)]) == 0
        assert run(["check", *options_of(place)]) == 0


def forget_in_part(place: OnRedshift, folder: Path) -> None:
    """Forget a person whom the history shows, and of whom a record was rejected; deliver the plays again."""
    for table, column in (("checks", "sample"), ("runs", "error"), ("files", "detail")):
        execute(place, f"UPDATE etl.{table} SET {column} = '(8,)' WHERE run_id = 1")
    assert run(["forget", "8", "--keep-plays", "--yes", *options_of(place)]) == 0
    write_records(folder / "log_data" / "8.json", play(ts=TS + 8, userId="8", song="Alone"), play(ts=TS + 9))


def _sources(sources: tuple[str, str]) -> list[str]:
    return ["--log-data", sources[0], "--song-data", sources[1]]


@pytest.fixture(scope="module")
def sent(warehouses: Warehouses, s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Every different statement, in the order of its first appearance."""
    root = tmp_path_factory.mktemp("sent")
    write_lake(root / "lake")
    bucket = s3.root / "statements"
    write_lake(bucket)
    write_moved_lake(root / "lake-moved")
    write_moved_lake(s3.root / "statements-moved")
    places = [
        (warehouses.new("redshift", root / "with", staging=True), "s3://statements", bucket),
        (warehouses.new("redshift", root / "local", staging=True), str(root / "lake"), root / "lake"),
        (warehouses.new("redshift", root / "without", staging=False), "s3://statements", bucket),
    ]
    found: dict[str, None] = {}
    for place, lake, folder in places:
        assert isinstance(place, OnRedshift)
        place.server.statements.clear()
        commands(place, lake, folder)
        for entry in place.server.statements:
            assert entry.status == "ok", entry
            found[settled(entry.sql, str(root / "lake"), place.name)] = None
    return list(found)


def settled(sql: str, lake: str, name: str) -> str:
    sql = re.sub(r"sparkify-runs/[0-9TZ]+-[0-9a-f]{8}/", "sparkify-runs/20260101T000000Z-0123abcd/", sql)
    sql = re.sub(r"TIMESTAMP '20[^']+'", "TIMESTAMP '2026-01-01 00:00:00'", sql)
    sql = sql.replace(lake, "/lake").replace(f"/staging/{name}/", "/staging/here/")
    sql = re.sub(r"file_id BETWEEN \d+ AND \d+", "file_id BETWEEN 1 AND 9", sql)
    sql = re.sub(r"'[0-9a-f]{64}'", "'by chance'", sql)
    sql = re.sub(r"'sparkify run \d+'", "'sparkify run 1'", sql)
    if "etl.erased" in sql or "SHA2(" in sql:
        sql = re.sub(r"'(anonymous-)?[0-9a-f]{32,64}'", "'by chance'", sql)
    # The version of a file is its time, or its ETag.
    return re.sub(r"(json', \d+, )'[^']+'", r"\1'version'", sql)


def test_what_is_sent_is_the_committed_text(sent: list[str]):
    text = SEPARATOR.join([*sent, ""])
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def committed() -> list[str]:
    return GOLDEN.read_text(encoding="utf-8").split(SEPARATOR)[:-1]


def test_every_statement_of_ours_is_among_them(sent: list[str]):
    """Those that the collection does not meet are named: who adds one has to send it here, or say why not."""
    unmet = {
        "redshift/slices.sql",  # a megabyte of songs
        "redshift/owned_tables.sql",  # a hundred thousand plays
        "redshift/data_api_hello.sql",  # over the Data API
        "erase/oldest_day.sql",  # with RETAIN, and the clock decides what else is sent
        "why/unusual_songs.sql",  # hundreds of songs
        "why/file_before_contents.sql",  # an older warehouse
        *("ledger/upgraded.sql", "ledger/current_files_before_contents.sql"),  # an older warehouse
        "ledger/runs_with_other_fields.sql",  # an older warehouse
        *(
            "ledger/list_files_before_erasure.sql",
            "ledger/list_runs_before_erasure.sql",
        ),  # an older warehouse
        *(
            "ledger/rejects_by_reason_before_kinds.sql",
            "ledger/rejects_in_full_before_kinds.sql",
            "ledger/files_with_rejects_before_kinds.sql",
        ),
        *(
            "redshift/load_errors_sys.sql",
            "redshift/load_errors_stl.sql",
        ),  # a record of ours that COPY refuses
        *("redshift/rollback.sql", "ledger/run_stands.sql"),  # after a failure
    }
    texts = {re.sub(r"\s+", " ", code(sql)).strip() for sql in sent}

    def is_met(step: Statement) -> bool:
        parts = [part.strip() for part in re.split(r":[a-z_]+\b", re.sub(r"\s+", " ", code(step.text)))]
        return any(all(part in text for part in parts) for text in texts)

    missing = {
        f"{path}:{step.line}" if path.startswith("derived/") else path
        for path in MODEL_FILES
        if not path.startswith(("doctor/", "questions/", "migrations/", *PROOF))
        for step in read_statements(path)
        # No piece looks moments up and looks for people only who lost their latest event.
        if not (is_met(step) or is_met(step.without(LOST)) or is_met(spell_out(step)))
    }
    # Of records that COPY refuses; of log files that are packed, and songs that are not.
    rare = {
        step
        for kind in KINDS
        for made in [statements_of(kind)]
        for step in (made.copied_files, *((made.copy_file, made.number_copied) if kind.packed else ()))
    } | {statements_of(EVENTS).count_copied}
    assert missing <= unmet | {f"{step.path}:{step.line}" for step in rare}


def judged() -> Iterator[str]:
    """Yield what is committed, and what a failure would send besides."""
    yield from committed()
    for path, parameters in (
        ("redshift/slices.sql", {}),
        ("redshift/owned_tables.sql", {}),
        ("redshift/load_errors_sys.sql", {"folder": "s3://here/it's"}),
        ("redshift/load_errors_stl.sql", {"folder": "s3://here"}),
        ("redshift/rollback.sql", {}),
        ("redshift/data_api_hello.sql", {}),
    ):
        for step in read_statements(path):
            yield fill(step.text, parameters)
    for path in list_files("migrations"):
        for step in read_statements(path):
            yield step.text
    for path in (path for folder in PROOF for path in list_files(folder)):
        for step in read_statements(path):
            yield fill(step.text, dict.fromkeys(step.parameters, "s3://here"))
    for kind in KINDS:
        yield statements_of(kind).copied_files.text


def test_sqlfluff_knows_every_statement():
    linter = Linter(config=FluffConfig(overrides={"dialect": "redshift"}))
    wrong = []
    for sql in judged():
        # PostgreSQL's grammar in sqlfluff has no backslash in ordinary literals; Redshift has.
        parsed = linter.parse_string(sql.replace("\\\\", "/") + ";\n")
        wrong += [(sql, str(each)) for each in parsed.violations]
    assert wrong == []


def test_the_deny_list_passes_every_statement():
    held = [
        (rule.name, sql)
        for sql in judged()
        for rule in RULES
        if not (rule.name == "types it lacks" and "COPY" in sql) and rule.found(sql)
    ]
    assert held == []


def test_no_statement_holds_a_secret(sent: list[str], s3: S3Server, warehouses: Warehouses):
    for secret in (s3.secret, s3.key, warehouses.server.options.password):
        assert not [sql for sql in sent if secret in sql]
    assert json.dumps(sent)
