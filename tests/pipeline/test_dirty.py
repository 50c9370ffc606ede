"""What a dirty lake comes to equals what the simulator says of it, file by file and line by line.

``SPARKIFY_DIRTY_EVENTS`` says how many events (8,000 by default; a million for the release notes).
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sparkify.cli.app import run
from tests.contents import hash_tables
from tests.loading import etl
from tests.warehouses import ENGINES, Place, Warehouses, rows

EVENTS = os.environ.get("SPARKIFY_DIRTY_EVENTS", "8000")


@dataclass(frozen=True)
class Dirty:
    """A dirty lake, with its truth, and the warehouse it was loaded into."""

    lake: Path
    place: Place

    @property
    def truth(self) -> Any:
        return json.loads((self.lake / "truth.json").read_text())

    def etl(self, *options: str) -> int:
        """Load it; that some of its files are cut is no surprise."""
        sources = (self.lake / "log_data", self.lake / "song_data")
        return etl(self.place, *sources, "--max-rejects", "50%", "--lenient", *options)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self.place, sql)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lake = tmp_path_factory.mktemp("dirty") / "lake"
    assert run(["simulate", str(lake), "--dirty", "--events", EVENTS, "--seed", "5"]) == 0
    return lake


@pytest.fixture(scope="module", params=ENGINES)
def dirty(
    request: pytest.FixtureRequest,
    lake: Path,
    warehouses: Warehouses,
    tmp_path_factory: pytest.TempPathFactory,
) -> Dirty:
    place = warehouses.new(request.param, tmp_path_factory.mktemp(request.param))
    dirty = Dirty(lake, place)
    assert dirty.etl() == 0
    return dirty


def test_totals(dirty: Dirty):
    totals = dirty.truth["totals"]
    # A song delivered twice, byte for byte, is a copy, and loaded once.
    ((copied,),) = dirty.rows("SELECT SUM(rows_read) FROM etl.files WHERE state = 'copy'")
    totals = totals | {"staging_songs": totals["staging_songs"] - copied}
    for table in ("staging_events", "staging_songs", "songplays", "users", "songs"):
        assert dirty.rows(f"SELECT COUNT(*) FROM {table}") == [(totals[table],)], table
    assert dirty.rows("SELECT SUM(rows_read) FROM etl.files") == [(totals["read"],)]
    assert dict(dirty.rows("SELECT reason, COUNT(*) FROM etl.rejects GROUP BY reason")) == totals["rejected"]


def test_every_file_and_every_rejected_line(dirty: Dirty):
    truth = dirty.truth["files"]
    prefix = str(dirty.lake) + "/"
    loaded = {
        uri.removeprefix(prefix): counts
        for uri, *counts in dirty.rows(
            "SELECT uri, rows_read, CASE state WHEN 'copy' THEN rows_read ELSE rows_loaded END,"
            " rows_rejected "
            "FROM etl.files WHERE state IN ('loaded', 'copy')"
        )
    }
    rejected = Counter(
        (uri.removeprefix(prefix), line, reason)
        for uri, line, reason in dirty.rows("SELECT uri, line, reason FROM etl.rejects")
    )
    assert loaded == {
        name: [file["read"], file["accepted"], len(file["rejected"])] for name, file in truth.items()
    }
    assert rejected == Counter(
        (name, each["line"], each["reason"]) for name, file in truth.items() for each in file["rejected"]
    )


def test_unknown_fields_are_counted(dirty: Dirty):
    truth = dirty.truth["files"]
    expected: Counter[str] = Counter()
    for file in truth.values():
        expected.update(file["unknown_fields"])
    found = dirty.rows("SELECT field, SUM(occurrences) FROM etl.unknown_fields GROUP BY field")
    assert dict(found) == expected


def test_rejects_keep_the_records_own_bytes(dirty: Dirty):
    for uri, offset, content in dirty.rows(
        "SELECT uri, byte_offset, content FROM etl.rejects WHERE encoding = 'utf-8' AND content <> ''",
    ):
        data = Path(uri).read_bytes()
        assert data[offset : offset + len(content.encode())] == content.encode(), (uri, offset)


def test_a_full_refresh_changes_nothing(dirty: Dirty):
    before = hash_tables(dirty.place, file_ids=True)
    assert dirty.etl("--full-refresh") == 0
    assert hash_tables(dirty.place, file_ids=True) == before
