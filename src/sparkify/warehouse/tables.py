"""The tables of the warehouse: made when missing, dropped on demand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sparkify.records import KINDS, RecordKind
from sparkify.warehouse.derived import shared_statements, statements_of, table_statements
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.statements import Statement, list_files, read_statements, statement

STAGING = tuple(sorted(kind.staging for kind in KINDS))
STAR = ("songplays", "users", "songs", "artists", "time")


def run_tables(kinds: Sequence[RecordKind] = KINDS) -> Iterator[Statement]:
    """Return the statements that create the run's temporary tables for records of these kinds."""
    yield from (statements_of(kind).run_table for kind in kinds)
    yield from read_statements("run/run_scope.sql")


def clear_run_tables() -> Iterator[Statement]:
    """Return the statements that empty them after an earlier batch, or an earlier try."""
    yield from shared_statements().clear_landed
    yield from read_statements("run/clear.sql")


def create_tables(engine: Engine, found: set[str]) -> None:
    """Create every table that is missing; the warehouse must be open for writing.

    Where there are all of them nothing is sent: CREATE … IF NOT EXISTS takes the right to create one, even if
    there is nothing to create, and a user who loads need not have it.

    Args:
        engine: The warehouse.
        found: The tables it has.
    """
    if found.issuperset(names()):
        return
    engine.execute(statement("tables/schema.sql"))
    for step in table_definitions():
        engine.execute(step)


def table_definitions() -> Iterator[Statement]:
    """Return the CREATE statement of each table."""
    yield from (statements_of(kind).staging_table for kind in KINDS)
    yield from (statement(f"tables/{name}.sql") for name in STAR)
    yield from (statement(path) for path in list_files("tables/etl"))


def names() -> list[str]:
    """Return every table's name with its schema, including the ledger's tables."""
    return [*(f"public.{name}" for name in STAGING + STAR), *_ledger()]


def count_rows(engine: Engine) -> dict[str, int]:
    """Return the number of rows of each table in staging and star; empty where the tables are missing."""
    if not engine.tables().issuperset(f"public.{name}" for name in STAGING + STAR):
        return {}
    step, _ = table_statements(all_tables())
    counts: dict[str, int] = dict(engine.execute(step))
    return {name: counts[name] for name in STAGING + STAR}


def drop_tables(engine: Engine) -> None:
    """Drop every table, the ledger included; the warehouse must be open for writing."""
    _, steps = table_statements(all_tables())
    for step in steps:
        engine.execute(step)


def all_tables() -> tuple[str, ...]:
    """Return every table's name as our statements write it: the ledger's tables with their schema."""
    return (*STAGING, *STAR, *_ledger())


def all_table_statements() -> tuple[Statement, ...]:
    """Return the statement that counts the rows of all tables, and the DROP statement of each."""
    counting, dropping = table_statements(all_tables())
    return (counting, *dropping)


def _ledger() -> list[str]:
    return [f"etl.{path.rpartition('/')[2].removesuffix('.sql')}" for path in list_files("tables/etl")]
