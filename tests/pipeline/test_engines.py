"""What is loaded is the same on both engines, to the last bit of a double: real, simulated and dirty data.

Rows are compared by hashes that no order changes: the seven tables with their file numbers, the rejects with
their sentences, the files' counts and the unknown fields.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sparkify.cli.app import run
from tests.conftest import S3Server
from tests.contents import hash_rows, hash_tables
from tests.loading import etl
from tests.oracle import COLUMNS
from tests.tiers import sweep
from tests.warehouses import ENGINES, OnRedshift, Place, Warehouses, rows

# Of the ledger: everything but the moment.
LEDGER = {
    "etl.files": "SELECT * FROM etl.files",
    "etl.rejects": "SELECT * FROM etl.rejects",
    "etl.unknown_fields": "SELECT * FROM etl.unknown_fields",
    "etl.checks": "SELECT * FROM etl.checks",
}


def hashes(place: Place) -> dict[str, str]:
    return hash_tables(place, file_ids=True) | {name: hash_rows(place, sql) for name, sql in LEDGER.items()}


@pytest.fixture(scope="module", params=sweep(["dirty", "real", "simulated"], 3))
def lake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "real":
        return Path(request.getfixturevalue("real_data"))
    lake = tmp_path_factory.mktemp(request.param) / "lake"
    dirty = ["--dirty"] if request.param == "dirty" else []
    assert run(["simulate", str(lake), "--events", "6000", "--seed", "11", *dirty]) == 0
    return lake


def load(place: Place, log_data: Path | str, song_data: Path | str) -> None:
    assert etl(place, log_data, song_data, "--max-rejects", "50%", "--lenient") == 0


def test_both_engines_hold_the_same(lake: Path, warehouses: Warehouses, tmp_path: Path):
    places = [warehouses.new(engine, tmp_path / engine) for engine in ENGINES]
    for place in places:
        load(place, lake / "log_data", lake / "song_data")
    on_duckdb, on_redshift = map(hashes, places)
    assert len(on_duckdb) == len(COLUMNS) + len(LEDGER)
    for name, found in on_duckdb.items():
        assert on_redshift[name] == found, name
    for place in places:
        warehouses.release(place)


@pytest.mark.parametrize("staging", sweep([True, False], 2), ids=["with staging", "without"])
def test_from_a_bucket_too(
    lake: Path,
    staging: bool,
    warehouses: Warehouses,
    s3: S3Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    """COPY reads the logs where they lie; songs and mended files are packed, or sent as literals."""
    for name, value in {"KEY": s3.key, "SECRET": s3.secret, "ENDPOINT_URL": s3.endpoint}.items():
        monkeypatch.setenv(f"SPARKIFY_AWS_{name}", value)
    shutil.copytree(lake, s3.root / "same")
    before = set((s3.root / "staging").rglob("*"))
    try:
        sources = ("s3://same/log_data", "s3://same/song_data")
        on_duckdb = warehouses.new("duckdb", tmp_path)
        load(on_duckdb, *sources)
        on_redshift = warehouses.new("redshift", tmp_path, staging=staging)
        assert isinstance(on_redshift, OnRedshift)
        on_redshift.server.statements.clear()
        load(on_redshift, *sources)
        assert hashes(on_redshift) == hashes(on_duckdb)
        copied = [entry for entry in on_redshift.server.statements if "\nCOPY run_event_copy" in entry.sql]
        ((logs,),) = rows(on_redshift, "SELECT COUNT(*) FROM etl.files WHERE kind = 'events'")
        if rows(on_redshift, "SELECT COUNT(*) FROM etl.rejects") == [(0,)]:
            assert [entry.status for entry in copied] == ["ok"] * logs
        left = set((s3.root / "staging").rglob("*")) - before
        assert [path for path in left if path.is_file()] == []
    finally:
        shutil.rmtree(s3.root / "same")


def test_the_comparison_sees_the_last_bit_of_a_double(warehouses: Warehouses, tmp_path: Path):
    """0.1 + 0.2 is not 0.3: a sum in a hash would not see it."""
    found = []
    for number in ("0.30000000000000004", "0.3"):
        place = warehouses.new("redshift", tmp_path / number)
        assert isinstance(place, OnRedshift)
        place.execute("CREATE TABLE t (x DOUBLE PRECISION)")
        place.execute(f"INSERT INTO t VALUES ({number})")
        found.append(hash_rows(place, "SELECT x FROM t"))
    assert found[0] != found[1]
