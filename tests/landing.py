"""What the pipeline lands of given files, and what the careful reader alone makes of them.

The fast path is right where both agree: it may skip the careful reader, never differ from it.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from sparkify.cli.screen import Progress
from sparkify.lake.folder import Folder
from sparkify.pipeline.land import land
from sparkify.pipeline.plan import EVENTS, PlannedFile, Source
from sparkify.pipeline.reader import Reject, read_carefully
from sparkify.warehouse.duckdb_engine import DuckDBEngine
from sparkify.warehouse.fields import EVENT_FIELDS, SONG_FIELDS

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Outcome:
    """What a file came to: rows in the order of the columns, rejects by line, unknown fields."""

    rows: Counter[Row]
    rejects: list[Reject]
    unknown: Counter[str]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        """The line and the reason of each reject."""
        return [(each.line, each.reason) for each in self.rejects]


class Lander:
    """An engine that lands files again and again and publishes nothing."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sparkify-landing-")
        self._engine = DuckDBEngine(Path(self._folder.name) / "none.duckdb")

    def close(self) -> None:
        self._engine.close()
        self._folder.cleanup()

    def land(self, kind: str, files: Mapping[str, bytes]) -> dict[str, Outcome]:
        """Land files together, as a run would; unknown fields are known for the whole only.

        They are given with the first file.
        """
        with tempfile.TemporaryDirectory(dir=self._folder.name) as folder:
            for name, data in files.items():
                (Path(folder) / name).write_bytes(data)
            store = Folder(folder)
            listing = store.listing()
            source = Source(kind, store, listing)
            planned = [PlannedFile(source, item, n, replaces=False) for n, item in enumerate(listing.objects)]
            assert len(planned) == len(files), listing.ignored
            with tempfile.TemporaryDirectory(dir=self._folder.name) as spool:
                self._engine.prepare()
                landing = land(self._engine, planned, Path(spool), Progress("reading"))
                assert [path.name for path in Path(spool).iterdir() if path.name != "songs.json"] == []
        rows = self._rows(kind)
        unknown = Counter({name: count for (_, name), count in landing.unknown.items()})
        outcomes = {}
        for each in landing.files:
            mine = rows.get(each.file.file_id, Counter())
            assert each.landed == mine.total()
            outcomes[each.file.item.key] = Outcome(mine, list(each.rejects), unknown)
            unknown = Counter()
        return outcomes

    def _rows(self, kind: str) -> dict[int, Counter[Row]]:
        table = "run_events" if kind == EVENTS else "run_songs"
        found: dict[int, Counter[Row]] = {}
        connection: duckdb.DuckDBPyConnection = self._engine._connection
        for *row, number, _ in connection.execute(f"SELECT * FROM {table}").fetchall():
            found.setdefault(number, Counter())[tuple(row)] += 1
        return found


def read(kind: str, data: bytes) -> Outcome:
    """Return what the careful reader alone makes of a file."""
    fields = EVENT_FIELDS if kind == EVENTS else SONG_FIELDS
    reading = read_carefully(data, fields)
    rows = Counter(tuple(json.loads(line).values()) for line in reading.lines)
    return Outcome(rows, reading.rejects, reading.unknown)
