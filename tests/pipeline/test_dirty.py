"""What a dirty lake comes to equals what the simulator says of it, file by file and line by line.

``SPARKIFY_DIRTY_EVENTS`` says how many events (8,000 by default; a million for the release notes).
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sparkify.cli.app import run
from tests.loading import etl

EVENTS = os.environ.get("SPARKIFY_DIRTY_EVENTS", "8000")


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dirty lake below ``lake``, with its truth, loaded into ``w.duckdb``."""
    root = tmp_path_factory.mktemp("dirty")
    assert run(["simulate", str(root / "lake"), "--dirty", "--events", EVENTS, "--seed", "5"]) == 0
    sources = (root / "lake" / "log_data", root / "lake" / "song_data")
    assert etl(root / "w.duckdb", *sources, "--max-rejects", "50%") == 0
    return root


def rows(root: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(root / "w.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_totals(dirty: Path):
    totals = json.loads((dirty / "lake" / "truth.json").read_text())["totals"]
    for table in ("staging_events", "staging_songs", "songplays", "users", "songs"):
        assert rows(dirty, f"SELECT COUNT(*) FROM {table}") == [(totals[table],)], table
    assert rows(dirty, "SELECT SUM(rows_read) FROM etl.files") == [(totals["read"],)]
    assert dict(rows(dirty, "SELECT reason, COUNT(*) FROM etl.rejects GROUP BY reason")) == totals["rejected"]


def test_every_file_and_every_rejected_line(dirty: Path):
    truth = json.loads((dirty / "lake" / "truth.json").read_text())["files"]
    prefix = str(dirty / "lake") + "/"
    loaded = {
        uri.removeprefix(prefix): counts
        for uri, *counts in rows(
            dirty, "SELECT uri, rows_read, rows_loaded, rows_rejected FROM etl.files WHERE state = 'loaded'"
        )
    }
    rejected = Counter(
        (uri.removeprefix(prefix), line, reason)
        for uri, line, reason in rows(dirty, "SELECT uri, line, reason FROM etl.rejects")
    )
    assert loaded == {
        name: [file["read"], file["accepted"], len(file["rejected"])] for name, file in truth.items()
    }
    assert rejected == Counter(
        (name, each["line"], each["reason"]) for name, file in truth.items() for each in file["rejected"]
    )


def test_unknown_fields_are_counted(dirty: Path):
    truth = json.loads((dirty / "lake" / "truth.json").read_text())["files"]
    expected: Counter[str] = Counter()
    for file in truth.values():
        expected.update(file["unknown_fields"])
    found = rows(dirty, "SELECT field, SUM(occurrences) FROM etl.unknown_fields GROUP BY field")
    assert dict(found) == expected


def test_rejects_keep_the_records_own_bytes(dirty: Path):
    for uri, offset, content in rows(
        dirty,
        "SELECT uri, byte_offset, content FROM etl.rejects WHERE encoding = 'utf-8' AND content <> ''",
    ):
        data = Path(uri).read_bytes()
        assert data[offset : offset + len(content.encode())] == content.encode(), (uri, offset)


def test_a_full_refresh_changes_nothing(dirty: Path):
    sql = "SELECT (SELECT SUM(hash(t)) FROM {0} AS t), COUNT(*) FROM {0}"
    tables = ("songplays", "users", "songs", "artists", "time", "staging_events", "staging_songs")
    before = [rows(dirty, sql.format(table)) for table in tables]
    sources = (dirty / "lake" / "log_data", dirty / "lake" / "song_data")
    assert etl(dirty / "w.duckdb", *sources, "--full-refresh") == 0
    assert [rows(dirty, sql.format(table)) for table in tables] == before
