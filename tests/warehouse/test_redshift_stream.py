"""Answers of Redshift are read as they come: a bounded number of rows in memory, whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from sparkify.cli.app import run
from sparkify.errors import EngineError, TransientEngineError
from sparkify.warehouse.redshift.driver_transport import DriverTransport
from sparkify.warehouse.redshift.redshift_engine import RedshiftEngine
from sparkify.warehouse.tables import create_tables
from tests.cli.conftest import command, environment
from tests.warehouses import OnRedshift, Warehouses, open_place, options_of
from tools.redshift_double import Fault

ROWS = 60_000
PART = "SELECT * FROM big WHERE n <= 10"


pytestmark = pytest.mark.as_owner("it makes a table")


@pytest.fixture(scope="module")
def place(warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> OnRedshift:
    """A warehouse with a table of 2.4 KB rows beside its own."""
    place = warehouses.new("redshift", tmp_path_factory.mktemp("place"))
    assert isinstance(place, OnRedshift)
    engine = open_place(place)
    with engine.writing():
        create_tables(engine, set())
    engine.close()
    place.execute(
        "CREATE TABLE big AS SELECT n::BIGINT AS n, REPEAT(MD5(n::TEXT), 75) AS words, "
        f"(n / 8.0)::NUMERIC(18, 3) AS share FROM generate_series(1, {ROWS}) AS n"
    )
    return place


@pytest.fixture
def engine(place: OnRedshift) -> Iterator[RedshiftEngine]:
    engine = open_place(place)
    assert isinstance(engine, RedshiftEngine)
    yield engine
    engine.close()
    place.server.faults.clear()


def peak(*arguments: str) -> int:
    """Return the most memory a command had, in MB."""
    process = subprocess.Popen(command(*arguments), env=environment(), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss // (1 << 20 if sys.platform == "darwin" else 1 << 10)


@pytest.mark.parametrize("style", ["csv", "json", "table", "parquet"])
def test_memory_does_not_grow_with_the_answer(place: OnRedshift, tmp_path: Path, style: str):
    """150 MB of text: held whole they took 190 to 760; a part is held still, before it goes to the disk."""
    path = tmp_path / f"answer.{style}"
    options = ["--format", style, "-o", str(path), *options_of(place)]
    little = peak("query", PART, *options)
    much = peak("query", "SELECT * FROM big", *options)
    assert much - little < (450 if style == "parquet" else 120)
    if style == "parquet":
        found = duckdb.execute(f"SELECT COUNT(*), SUM(n), MAX(share) FROM '{path}'").fetchone()
        assert found is not None
        assert (*found[:2], str(found[2])) == (ROWS, ROWS * (ROWS + 1) // 2, f"{ROWS / 8:.3f}")
    else:
        with path.open() as file:
            assert sum(1 for _ in file) == ROWS + {"csv": 1, "json": 2, "table": 2}[style]


def test_rows_are_there_before_the_answer_ends_and_the_rest_can_be_left(
    place: OnRedshift, engine: RedshiftEngine
):
    before = sessions(place)
    with engine.reading():
        answer = engine.query("SELECT * FROM big ORDER BY n")
        assert answer.columns == ["n", "words", "share"]
        assert [next(answer.rows)[0] for _ in range(1500)] == list(range(1, 1501))
        transport = engine._session._transport
        assert isinstance(transport, DriverTransport)
        stream = transport._stream
        assert stream
        assert stream._thread.is_alive()
        assert stream._pieces.qsize() <= 8
    # Left in the middle: that session is given up, the next statement gets another.
    with engine.reading():
        assert next(engine.query("SELECT COUNT(*) FROM big").rows) == (ROWS,)
    assert not stream._thread.is_alive()
    engine.close()
    assert sessions(place) == before


def sessions(place: OnRedshift) -> int:
    """Count the clients' sessions in the database, when those that end have ended."""
    deadline = time.monotonic() + 30
    while True:
        ((count,),) = place.rows(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend'"
        )
        if count == 1 or time.monotonic() > deadline:
            return int(count)
        time.sleep(0.1)


def test_no_rows_have_columns_too(engine: RedshiftEngine):
    with engine.reading():
        answer = engine.query("SELECT n, words FROM big WHERE n < 0")
        assert (answer.columns, list(answer.rows)) == (["n", "words"], [])
        assert list(engine.query("EXPLAIN SELECT n FROM big").rows)


@pytest.mark.parametrize("style", ["csv", "json", "table", "parquet"])
def test_an_error_in_a_late_row_is_an_error_and_no_half_answer(
    place: OnRedshift, tmp_path: Path, capsys: pytest.CaptureFixture[str], style: str
):
    path = tmp_path / f"answer.{style}"
    sql = "SELECT n, 1 / (50000 - n) AS x FROM big"
    assert run(["query", sql, "--format", style, "-o", str(path), *options_of(place)]) == 1
    assert "division by zero" in capsys.readouterr().err
    assert not path.exists()


def test_errors_are_those_of_every_statement(place: OnRedshift, engine: RedshiftEngine):
    with pytest.raises(EngineError, match="Redshift refused the query"), engine.reading():
        engine.query("SELECT nothing FROM big")
    place.server.faults.arm(Fault("drop_before", match="FROM big"))
    with pytest.raises(TransientEngineError, match="was lost at the query"), engine.reading():
        engine.query(PART)
    place.server.faults.arm(Fault("drop_after", match="FROM big"))
    with pytest.raises(TransientEngineError, match="was lost at the query"), engine.reading():
        list(engine.query(PART).rows)
    with engine.reading():
        assert len(list(engine.query(PART).rows)) == 10


def test_an_interrupted_query_ends_at_once(place: OnRedshift):
    place.server.statements.clear()
    place.server.faults.arm(Fault("hang", match="FROM big"))
    process = subprocess.Popen(
        command("query", PART, *options_of(place)), env=environment(), stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 60
        while not any("FROM big" in entry.sql for entry in place.server.statements):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 130, said
        assert time.monotonic() - started < 8
    finally:
        process.kill()
        process.communicate()
        place.server.faults.clear()
