"""What a warehouse holds: its rows, and one hash per table that no order of rows changes.

Not named after the warehouse layer, whose tests are the folder ``tests/warehouse``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import timedelta

from tests.oracle import COLUMNS, EPOCH, Row, Tables
from tests.warehouses import Place, exists, rows

# It is there in warehouses of version 3 and later.
DAYS = "etl.days"
LEDGER = ("etl.runs", "etl.files", "etl.rejects", "etl.checks", "etl.unknown_fields")


def read_tables(place: Place) -> Tables:
    """Return every row of the mission's tables and ``etl.days``, without ``file_id``; none: no warehouse."""
    if not exists(place):
        return {name: Counter() for name in COLUMNS}
    return {
        name: Counter(rows(place, f"SELECT {', '.join(columns)} FROM {name}"))
        for name, columns in COLUMNS.items()
    }


def hash_tables(
    place: Place, *, file_ids: bool = False, ledger: bool = False, newer: bool = True
) -> dict[str, str]:
    """Return one hash per table, of its rows as text in sorted order.

    Args:
        place: The warehouse.
        file_ids: Whether ``file_id`` of the staging tables counts.
        ledger: Whether to hash the tables of schema ``etl`` too, whole.
        newer: Whether what older warehouses do not have counts: ``etl.days``, and the column ``extra``.
    """
    hashes = {}
    for name, columns in COLUMNS.items():
        if name == DAYS and not newer:
            continue
        kept = [column for column in columns if newer or column != "extra"]
        chosen = [*kept, *(["file_id"] if file_ids and name.startswith("staging_") else [])]
        hashes[name] = hash_rows(place, f"SELECT {', '.join(chosen)} FROM {name}")
    if ledger:
        hashes |= {name: hash_rows(place, f"SELECT * FROM {name}") for name in LEDGER}
    return hashes


def plays_nobody_would_find(place: Place) -> list[Row]:
    """Return the plays that ``etl.played_titles`` does not cover: a new song would not reach them."""
    titles = {
        (song, artist): (first, last)
        for song, artist, first, last in rows(
            place, "SELECT song, artist, played_from, played_to FROM etl.played_titles"
        )
    }
    played = rows(
        place, "SELECT song, artist, start_time FROM songplays WHERE song IS NOT NULL AND artist IS NOT NULL"
    )
    missed = []
    for song, artist, start in played:
        moment = (start - EPOCH) // timedelta(milliseconds=1)
        first, last = titles.get((song, artist), (moment + 1, moment - 1))
        if not first <= moment <= last:
            missed.append((song, artist, start))
    return missed


def hash_rows(place: Place, sql: str) -> str:
    """Return one hash of a query's rows, whatever their order."""
    texts = sorted(repr(row) for row in rows(place, sql))
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
