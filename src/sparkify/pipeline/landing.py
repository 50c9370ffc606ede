"""What a batch of files came to in the run's temporary tables, before the warehouse is touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sparkify.intake.reader import Reject
from sparkify.pipeline.plan import PlannedFile
from sparkify.pipeline.scope import Scope
from sparkify.records import RecordKind
from sparkify.warehouse.derived import statements_of
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import now


class LandedCounts(NamedTuple):
    """What landed of one file, as the statement ``landed`` of :mod:`sparkify.warehouse.derived` counts it.

    Attributes:
        landed: Records in the run's table.
        plays: Those that are rows of the fact table.
        ts_from: The earliest time of an event, in ms since 1970; None: there is none.
        ts_to: The latest.
        needs_rereading: Rows that may not be what they seem.
        nulls: Values of its fields that are null in the table.
        texts: Values that are texts.
    """

    landed: int = 0
    plays: int = 0
    ts_from: int | None = None
    ts_to: int | None = None
    needs_rereading: int = 0
    nulls: int = 0
    texts: int = 0


@dataclass(frozen=True, slots=True)
class LandedFile:
    """What one file's records came to.

    Attributes:
        file: The file.
        rows_read: Records read, counted before any of them landed: the check ``conservation`` compares what
            landed and what was rejected with it.
        landed: Records in the run's table.
        plays: Those that are rows of the fact table.
        rejects: Records that were not accepted.
    """

    file: PlannedFile
    rows_read: int
    landed: int
    plays: int = 0
    rejects: Sequence[Reject] = ()


@dataclass(slots=True)
class Landing:
    """What a batch came to: its files, the time range of its events, fields we have no column for.

    ``unknown`` counts by kind and field; ``first_seen`` is the URI each was first met in; ``started_at`` is
    when the first of its files began to be read.
    """

    files: list[LandedFile] = field(default_factory=list)
    scope: Scope = field(default_factory=Scope)
    unknown: Counter[tuple[str, str]] = field(default_factory=Counter)
    first_seen: dict[tuple[str, str], str] = field(default_factory=dict)
    started_at: datetime = field(default_factory=now)

    def add(self, file: PlannedFile, read: int, counts: LandedCounts, rejects: Sequence[Reject]) -> None:
        """Add what one file came to."""
        self.files.append(LandedFile(file, read, counts.landed, counts.plays, rejects))
        self.scope = self.scope.including(counts.ts_from, counts.ts_to)

    def note_unknown(self, file: PlannedFile, counts: Counter[str]) -> None:
        """Add the unknown fields of one file."""
        for name, count in counts.items():
            key = (file.source.kind.name, name)
            self.unknown[key] += count
            self.first_seen.setdefault(key, file.item.uri)


def count_landed(engine: Engine, kind: RecordKind) -> dict[int, LandedCounts]:
    """Return what has landed of every file of a kind, by the file's number."""
    return {row[0]: LandedCounts(*row[1:]) for row in engine.execute(statements_of(kind).landed)}
