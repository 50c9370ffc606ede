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

from sparkify.cli.screen import Progress
from sparkify.intake.reader import Reject, read_carefully
from sparkify.lake.bucket import Bucket
from sparkify.lake.folder import Folder
from sparkify.lake.store import Store
from sparkify.pipeline.land import land
from sparkify.pipeline.plan import PlannedFile, Source
from sparkify.records import KINDS, RecordKind
from sparkify.settings import AwsSettings
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.statements import Statement
from tests.conftest import S3Server

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Outcome:
    """What a file came to: rows in the order of the columns, ``extra`` last; rejects; unknown fields."""

    rows: Counter[Row]
    rejects: list[Reject]
    unknown: Counter[str]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        """The line and the reason of each reject."""
        return [(each.line, each.reason) for each in self.rejects]


class Lander:
    """An engine that lands files again and again and publishes nothing.

    Args:
        engine: The engine.
        bucket: Where the files lie; None: in local folders.
    """

    def __init__(self, engine: Engine, bucket: tuple[S3Server, AwsSettings] | None = None) -> None:
        self.engine = engine
        self._bucket = bucket
        # A bucket is a folder below the server's root.
        self._folder = tempfile.TemporaryDirectory(prefix="landing-", dir=bucket[0].root if bucket else None)

    def close(self) -> None:
        self.engine.close()
        self._folder.cleanup()

    def _store(self, folder: str) -> Store:
        if self._bucket is None:
            return Folder(folder)
        server, aws = self._bucket
        return Bucket(f"s3://{Path(folder).relative_to(server.root).as_posix()}", aws)

    def land(self, kind: RecordKind, files: Mapping[str, bytes]) -> dict[str, Outcome]:
        """Land files together, as a run would; unknown fields are known for the whole only.

        They are given with the first file.
        """
        with tempfile.TemporaryDirectory(dir=self._folder.name) as folder:
            for name, data in files.items():
                (Path(folder) / name).write_bytes(data)
            store = self._store(folder)
            listing = store.listing()
            source = Source(kind, store, listing)
            planned = [PlannedFile(source, item, n, replaces=False) for n, item in enumerate(listing.objects)]
            assert len(planned) == len(files), listing.ignored
            with tempfile.TemporaryDirectory() as spool:
                kinds = [kind if each.name == kind.name else each for each in KINDS]
                landing = land(self.engine, planned, Path(spool), Progress("reading"), kinds)
                left = [
                    path.name
                    for path in Path(spool).iterdir()
                    if path.name not in ("songs.json", "events.json")
                ]
                assert left == []
        rows = self._rows(kind)
        unknown = Counter({name: count for (_, name), count in landing.unknown.items()})
        outcomes = {}
        for each in landing.files:
            mine = rows.get(each.file.file_id, Counter())
            assert each.landed == mine.total()
            outcomes[each.file.item.key] = Outcome(mine, list(each.rejects), unknown)
            unknown = Counter()
        return outcomes

    def _rows(self, kind: RecordKind) -> dict[int, Counter[Row]]:
        found: dict[int, Counter[Row]] = {}
        landed = self.engine.execute(Statement(f"SELECT * FROM {kind.landing}", "a test", 1))
        for *row, number, extra, _ in landed:
            found.setdefault(number, Counter())[*row, extra] += 1
        return found


def read(kind: RecordKind, data: bytes) -> Outcome:
    """Return what the careful reader alone makes of a file."""
    reading = read_carefully(data, kind)
    rows = Counter(tuple(json.loads(line).values()) for line in reading.lines)
    return Outcome(rows, reading.rejects, reading.unknown)
