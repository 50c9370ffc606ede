"""What a DuckDB warehouse holds: its rows, and one hash per table that no order of rows changes.

Not named after the warehouse layer, whose tests are the folder ``tests/warehouse``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import duckdb

from tests.oracle import COLUMNS, Tables

LEDGER = ("etl.runs", "etl.files", "etl.rejects", "etl.checks", "etl.unknown_fields")


def read_tables(database: Path) -> Tables:
    """Return every row of the mission's tables, ``file_id`` left out; none without a warehouse."""
    if not database.exists():
        return {name: Counter() for name in COLUMNS}
    with duckdb.connect(str(database), read_only=True) as connection:
        if not connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'songplays'").fetchall():
            return {name: Counter() for name in COLUMNS}
        return {
            name: Counter(connection.execute(f"SELECT {', '.join(columns)} FROM {name}").fetchall())
            for name, columns in COLUMNS.items()
        }


def hash_tables(database: Path, *, file_ids: bool = False, ledger: bool = False) -> dict[str, str]:
    """Return one hash per table, of its rows as text in sorted order.

    Args:
        database: The DuckDB file.
        file_ids: Whether ``file_id`` of the staging tables counts.
        ledger: Whether to hash the tables of schema ``etl`` too, whole.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        hashes = {}
        for name, columns in COLUMNS.items():
            chosen = [*columns, *(["file_id"] if file_ids and name.startswith("staging_") else [])]
            hashes[name] = _hash(connection, f"SELECT {', '.join(chosen)} FROM {name}")
        if ledger:
            hashes |= {name: _hash(connection, f"SELECT * FROM {name}") for name in LEDGER}
        return hashes


def _hash(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    rows = sorted(repr(row) for row in connection.execute(sql).fetchall())
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
