"""The list of fields and the tables say the same: names, order, types and widths."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import sqlglot
from sqlglot import exp

from sparkify.warehouse.records import EVENT_FIELDS, SONG_FIELDS, Field
from sparkify.warehouse.statements import read_statements, statement
from tests.oracle import COLUMNS

KINDS = {"events": EVENT_FIELDS, "songs": SONG_FIELDS}

Column = tuple[str, str, int | None]


def columns(path: str) -> list[Column]:
    """Return name, type and width of a table's columns, as its DDL says."""
    tree = sqlglot.parse_one(statement(path).text, read="redshift")
    found = []
    for column in tree.find_all(exp.ColumnDef):
        kind = column.args["kind"]
        width = int(kind.expressions[0].name) if kind.expressions else None
        found.append(
            (column.name, kind.this.value.replace("INT", "INTEGER").replace("BIGINTEGER", "BIGINT"), width)
        )
    return found


def of_fields(fields: Sequence[Field]) -> list[Column]:
    return [(field.column, field.type, field.width) for field in fields]


@pytest.mark.parametrize("kind", KINDS)
def test_staging_has_the_fields_and_the_file(kind: str):
    assert columns(f"tables/staging_{kind}.sql") == [*of_fields(KINDS[kind]), ("file_id", "BIGINT", None)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_runs_table_begins_with_stagings_columns(kind: str):
    staging = columns(f"tables/staging_{kind}.sql")
    run = columns(f"run/run_{kind}.sql")
    assert run[: len(staging)] == staging
    assert not {name for name, _, _ in run[len(staging) :]} & {name for name, _, _ in staging}


@pytest.mark.parametrize("kind", KINDS)
def test_staging_is_filled_by_name_in_one_order(kind: str):
    insert = sqlglot.parse_one(read_statements(f"staging/staging_{kind}.sql")[0].text, read="redshift")
    assert isinstance(insert, exp.Insert)
    names = [name for name, _, _ in columns(f"tables/staging_{kind}.sql")]
    assert [each.name for each in insert.this.expressions] == names
    assert insert.expression.named_selects == names


@pytest.mark.parametrize("table", COLUMNS)
def test_tables_have_the_documented_columns_in_order(table: str):
    names = [name for name, _, _ in columns(f"tables/{table}.sql")]
    assert names == [*COLUMNS[table], *["file_id"] * table.startswith("staging_")]


@pytest.mark.parametrize("table", [table for table in COLUMNS if not table.startswith("staging_")])
def test_no_column_of_the_star_is_narrower_than_its_source(table: str):
    """On Redshift a value that fits staging and not the star would stop the run."""
    widths = {name: width for kind in KINDS for name, _, width in columns(f"tables/staging_{kind}.sql")}
    sources = {"name": "artist_name", "location": "artist_location"} if table == "artists" else {}
    narrow = [
        (name, width, widths[source])
        for name, _, width in columns(f"tables/{table}.sql")
        if (source := sources.get(name, name)) in widths and (width or 0) < (widths[source] or 0)
    ]
    assert narrow == []
