"""What follows from the declaration of a kind: tables, columns and statements that agree with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from sparkify.records import EVENTS, KINDS, Field, RecordKind
from sparkify.warehouse.derived import statements_of
from sparkify.warehouse.statements import Statement, statement
from tests.oracle import COLUMNS
from tools import generate

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)

Column = tuple[str, str, int | None]


def columns(step: Statement) -> list[Column]:
    """Return name, type and width of a table's columns, as its DDL says."""
    tree = sqlglot.parse_one(step.text, read="redshift")
    found = []
    for column in tree.find_all(exp.ColumnDef):
        kind = column.args["kind"]
        width = int(kind.expressions[0].name) if kind.expressions else None
        found.append(
            (column.name, kind.this.value.replace("INT", "INTEGER").replace("BIGINTEGER", "BIGINT"), width)
        )
    return found


def definition(table: str) -> Statement:
    """Return what makes a table."""
    for kind in KINDS:
        if table == kind.staging:
            return statements_of(kind).staging_table
    return statement(f"tables/{table.replace('.', '/')}.sql")


@each_kind
def test_staging_has_the_fields_and_the_file(kind: RecordKind):
    declared = [(field.column, field.type, field.width) for field in kind.fields]
    assert columns(statements_of(kind).staging_table) == [
        *declared,
        ("file_id", "BIGINT", None),
        ("extra", "VARCHAR", 65_535),
    ]


@each_kind
def test_the_runs_table_begins_with_stagings_columns(kind: RecordKind):
    staging, run = columns(statements_of(kind).staging_table), columns(statements_of(kind).run_table)
    assert run == [*staging, ("needs_rereading", "BOOLEAN", None)]


@each_kind
def test_staging_is_filled_by_name_in_one_order(kind: RecordKind):
    insert = sqlglot.parse_one(statements_of(kind).accept.text, read="redshift")
    assert isinstance(insert, exp.Insert)
    names = [name for name, _, _ in columns(statements_of(kind).staging_table)]
    assert [each.name for each in insert.this.expressions] == names
    assert insert.expression.named_selects == names


@pytest.mark.parametrize("table", COLUMNS)
def test_tables_have_the_documented_columns_in_order(table: str):
    names = [name for name, _, _ in columns(definition(table))]
    ours = ["file_id", "extra"] if table.startswith("staging_") else []
    assert names == [*(name for name in COLUMNS[table] if name not in ours), *ours]


@pytest.mark.parametrize("table", [table for table in COLUMNS if not table.startswith("staging_")])
def test_no_column_of_the_star_is_narrower_than_its_source(table: str):
    """On Redshift a value that fits staging and not the star would stop the run."""
    widths = {field.column: field.width for kind in KINDS for field in kind.fields}
    sources = {"name": "artist_name", "location": "artist_location"} if table == "artists" else {}
    narrow = [
        (name, width, widths[source])
        for name, _, width in columns(definition(table))
        if (source := sources.get(name, name)) in widths and (width or 0) < (widths[source] or 0)
    ]
    assert narrow == []


@pytest.mark.parametrize("path", sorted(generate.derived()))
def test_what_is_committed_is_what_follows_from_the_declaration(path: str):
    """Run ``make generate``, and read the difference."""
    assert (generate.SQL / path).read_text(encoding="utf-8") == generate.derived()[path]


def test_no_file_is_left_of_a_kind_that_is_gone():
    left = {f"derived/{path.name}" for path in (generate.SQL / "derived").iterdir()}
    assert left == set(generate.derived())


def test_the_page_for_analysts_has_the_heads_of_the_views() -> None:
    """Run ``make generate``, and read the difference."""
    assert generate.ANALYSTS.read_text(encoding="utf-8") == generate.analysts()


@pytest.mark.parametrize(
    "wrong", [{"moment": "when"}, {"identity": ("nobody",)}, {"fact": ("pages", "NextSong")}]
)
def test_a_declaration_names_only_fields_it_has(wrong: dict[str, object]):
    with pytest.raises(AssertionError):
        RecordKind("plays", "PLAY_DATA", "", "", (Field("ts", "ts", "BIGINT"),), **wrong)  # type: ignore[arg-type]


def test_an_event_is_told_from_others_by_what_songplays_is_unique_in():
    """The identity of an event and the partition of the model are one."""
    model = Path(generate.SQL / "star/songplays.sql").read_text(encoding="utf-8")
    partition = model.partition("PARTITION BY ")[2].partition("\n")[0]
    assert {f"e.{column}" for column in EVENTS.identity} == set(partition.split(", "))
