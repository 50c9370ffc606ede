"""Whether a peer filled the tables that ours did: the same columns, the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

STAGING = ("staging_events", "staging_songs")
STAR = ("songplays", "users", "songs", "artists", "time")


class DifferentTablesError(Exception):
    """A peer's table is not ours: its time says nothing."""


def check_same(
    ours: Path, peer: str, theirs: Path, tables: Sequence[str] = STAGING + STAR, schema: str = "main"
) -> None:
    """Compare tables as sets of rows, read as our columns' types.

    Which file a row of staging came from (``file_id``) is numbered differently, and fields without a column
    (``extra``) are kept by nobody else: both are left out. Columns that a peer has besides are its own affair.

    Raises:
        DifferentTablesError: A column is missing, or a row is.
    """
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{ours}' AS ours (READ_ONLY); ATTACH '{theirs}' AS peer (READ_ONLY)")
        for table in tables:
            columns = _columns(connection, "ours.main", table)
            theirs_too = _columns(connection, f"peer.{schema}", table)
            if missing := [name for name in columns if name not in theirs_too]:
                raise DifferentTablesError(f"{peer}: {table} has no column {', '.join(missing)}")
            values = ", ".join(f'CAST("{name}" AS {type_}) AS "{name}"' for name, type_ in columns.items())
            counts, sums = zip(
                *(
                    _fingerprint(connection, f"SELECT {values} FROM {place}.{table}")
                    for place in ("ours.main", f"peer.{schema}")
                ),
                strict=True,
            )
            if counts[0] != counts[1]:
                raise DifferentTablesError(f"{peer}: {table} has {counts[1]:,} rows, ours {counts[0]:,}")
            if sums[0] != sums[1]:
                apart = [
                    name
                    for name, type_ in columns.items()
                    if len(
                        {
                            _fingerprint(connection, f'SELECT CAST("{name}" AS {type_}) FROM {place}.{table}')
                            for place in ("ours.main", f"peer.{schema}")
                        }
                    )
                    > 1
                ]
                raise DifferentTablesError(
                    f"{peer}: {table} has other values: {', '.join(apart) or 'in rows'}"
                )


def _columns(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, str]:
    """Return the columns of a table and their types, without those that no peer has."""
    rows = connection.execute(f"DESCRIBE {schema}.{table}").fetchall()
    return {name: type_ for name, type_, *_ in rows if name not in ("file_id", "extra")}


def _fingerprint(connection: duckdb.DuckDBPyConnection, select: str) -> tuple[int, int]:
    """Return how many rows there are, and a sum of their hashes, which knows no order."""
    row = connection.execute(f"SELECT COUNT(*), SUM(hash(r)) FROM ({select}) AS r").fetchone()
    assert row is not None
    return row[0], row[1]
