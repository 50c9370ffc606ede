"""How a backlog is divided: whole files, in their order, none too many at once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from sparkify.pipeline.plan import in_groups
from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 100), st.none() | st.integers(1, 200))
def test_groups_hold_as_many_files_as_they_may_and_no_more(sizes: list[int], most: int, first: int | None):
    files = [cast("Any", SimpleNamespace(item=SimpleNamespace(key="a.json", size=size))) for size in sizes]
    groups = list(in_groups(files, most, first))
    assert [file for group in groups for file in group] == files
    for number, group in enumerate(groups):
        limit = first if first is not None and number == 0 else most
        size = sum(file.item.size for file in group)
        assert size <= limit or len(group) == 1
        if number + 1 < len(groups):
            assert size + groups[number + 1][0].item.size > limit


def test_what_lands_in_memory_is_less_than_what_lands_in_a_new_file(tmp_path: Path):
    """A kilobyte an event of half of that, so that what a batch lands is not mostly written to TMPDIR."""
    engine = DuckDBEngine(tmp_path / "w.duckdb", memory=10**9)
    try:
        first, later = engine.batch_bytes
        assert later < 10**9 < first
        (tmp_path / "w.duckdb").touch()
        assert engine.batch_bytes == (later, later)
    finally:
        engine.close()
