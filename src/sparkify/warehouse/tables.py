"""The tables of the warehouse: made when missing, dropped on demand."""

from __future__ import annotations

from collections.abc import Iterator

from sparkify.warehouse.engine import Engine
from sparkify.warehouse.statements import Statement, list_files, read_statements, statement

STAGING = ("staging_events", "staging_songs")
STAR = ("songplays", "users", "songs", "artists", "time")

_RUN = ("run/run_events.sql", "run/run_songs.sql", "run/run_scope.sql", "run/clear.sql")


def run_tables() -> Iterator[Statement]:
    """Return what makes the run's own tables, and empties them."""
    return (step for path in _RUN for step in read_statements(path))


def create_tables(engine: Engine) -> None:
    """Create every table that is missing; the warehouse must be open for writing."""
    engine.execute(statement("tables/schema.sql"))
    for path in [*(f"tables/{name}.sql" for name in STAGING + STAR), *list_files("tables/etl")]:
        engine.execute(statement(path))


def names() -> list[str]:
    """Return every table's name with its schema, the ledger's too."""
    ours = [path.rpartition("/")[2].removesuffix(".sql") for path in list_files("tables/etl")]
    return [*(f"public.{name}" for name in STAGING + STAR), *(f"etl.{name}" for name in ours)]


def count_rows(engine: Engine) -> dict[str, int]:
    """Return how many rows each of the mission's tables has; none where they are missing."""
    if not engine.tables().issuperset(f"public.{name}" for name in STAGING + STAR):
        return {}
    counts: dict[str, int] = dict(engine.execute(statement("tables/count_rows.sql")))
    return {name: counts[name] for name in STAGING + STAR}


def drop_tables(engine: Engine) -> None:
    """Drop every table, the ledger included; the warehouse must be open for writing."""
    for step in read_statements("tables/drop.sql"):
        engine.execute(step)
