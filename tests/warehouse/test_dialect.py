"""Every statement can be written for DuckDB, and how is committed: what is reviewed is what runs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.errors import ModelError
from sparkify.warehouse.duckdb import dialect, translation
from sparkify.warehouse.duckdb.functions import MACROS, MD5_BITS
from sparkify.warehouse.duckdb.translation import to_duckdb, write_file
from sparkify.warehouse.statements import Statement, read_statements
from tools.generate import for_duckdb

COMMITTED = Path(translation.__file__).with_name(translation.FILE)


def test_duckdbs_text_is_the_committed_one():
    """Run ``make generate``, and read the difference."""
    assert write_file(for_duckdb()) == COMMITTED.read_text(encoding="utf-8")


def test_what_runs_is_the_committed_text(monkeypatch: pytest.MonkeyPatch):
    """A run never waits for the transpiler."""
    monkeypatch.setattr(dialect, "transpile", None)
    to_duckdb.cache_clear()
    committed = COMMITTED.read_text(encoding="utf-8")
    assert all(f"\n{to_duckdb(step)};\n" in committed for step in for_duckdb())


def test_a_committed_text_of_another_source_does_not_run():
    step = read_statements("star/time.sql")[0]
    changed = Statement(step.text.replace("ts_from", "ts_to"), step.path, step.line)
    assert to_duckdb(changed) == to_duckdb(step).replace("ts_from", "ts_to") != to_duckdb(step)


@pytest.mark.parametrize(
    "text",
    [
        "SELEC 1",
        "SELECT (1",
        "SELECT a FROM t QUALIFY",
    ],
)
def test_what_cannot_be_written_for_duckdb_names_its_place(text: str):
    with pytest.raises(ModelError) as caught:
        to_duckdb(Statement(text, "star/songs.sql", 7))
    assert (caught.value.path, caught.value.line) == ("star/songs.sql", 7)
    assert "star/songs.sql, line 7" in caught.value.message


def test_keys_and_redshifts_storage_clauses_are_left_out():
    """DuckDB would pay for a key with an index, and does not know sort and distribution keys."""
    text = "CREATE TABLE t (a INTEGER NOT NULL, PRIMARY KEY (a)) DISTSTYLE KEY DISTKEY (a) SORTKEY (a)"
    assert to_duckdb(Statement(text, "t.sql", 1)) == "CREATE TABLE t (\n  a INT NOT NULL\n)"


def test_bytes_of_a_text_are_counted_by_the_function_duckdb_has():
    """Its OCTET_LENGTH is of blobs only."""
    assert to_duckdb(Statement("SELECT OCTET_LENGTH(a)", "t.sql", 1)) == "SELECT\n  STRLEN(a)"


def test_the_first_60_bits_of_an_md5_are_a_function_of_ours_and_nothing_else_is():
    def written(text: str) -> str:
        return " ".join(to_duckdb(Statement(f"SELECT {text}", "t.sql", 1)).lower().split())

    assert written("STRTOL(SUBSTRING(MD5(a || b), 1, 15), 16)") == f"select {MD5_BITS}(a || b)"
    for other in (
        "SUBSTRING(MD5(a), 1, 14), 16",
        "SUBSTRING(MD5(a), 2, 15), 16",
        "SUBSTRING(MD5(a), 1, 15), 8",
    ):
        assert MD5_BITS not in written(f"STRTOL({other})")


@given(texts=st.lists(st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\0")))))
def test_they_are_what_hex_digits_come_to(texts: list[str | None]):
    expected = [
        None if text is None else int(hashlib.md5(text.encode()).hexdigest()[:15], 16) for text in texts
    ]
    with duckdb.connect() as connection:
        for macro in MACROS:
            connection.execute(macro)
        digits = "from_base(substring(md5(text), 1, 15), 16)"
        sql = f"SELECT {MD5_BITS}(text), {digits} FROM (SELECT unnest($texts::VARCHAR[]) AS text)"
        found = connection.execute(sql, {"texts": texts}).fetchall()
    assert found == [(each, each) for each in expected]
