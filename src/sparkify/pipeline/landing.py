"""What a batch of files came to in the run's temporary tables, before the warehouse is touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sparkify.errors import (
    CredentialsRefused,
    SourceChanged,
    SourceError,
    SourceNotFound,
    TransientSourceError,
)
from sparkify.pipeline.plan import PlannedFile
from sparkify.pipeline.scope import Scope
from sparkify.records import KINDS, RecordKind
from sparkify.warehouse.derived import shared_statements, statements_of
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import GROWING, UNREADABLE, now
from sparkify.warehouse.statements import statement

if TYPE_CHECKING:
    from sparkify.intake.reader import Reject


# With fewer rows a plan without statistics costs less than renewing them.
ANALYZED_ROWS = 100_000


class LandedCounts(NamedTuple):
    """What landed of one file, as the statement ``landed`` of :mod:`sparkify.warehouse.derived` counts it.

    Attributes:
        landed: Records in the run's table.
        plays: Those that are rows of the fact table.
        ts_from: The earliest time of an event, in ms since 1970; None: there is none.
        ts_to: The latest.
        needs_rereading: Rows that may not be what they seem.
        nulls: Values of its fields that are null in the table.
        extras: Records with fields that have no column.
    """

    landed: int = 0
    plays: int = 0
    ts_from: int | None = None
    ts_to: int | None = None
    needs_rereading: int = 0
    nulls: int = 0
    extras: int = 0


class SetAside(NamedTuple):
    """Why nothing of a file is loaded: a code, and a sentence."""

    reason: str
    detail: str


class LandedFile(NamedTuple):
    """What one file's records came to.

    Attributes:
        file: The file.
        rows_read: Records read, counted before any of them landed: the check ``conservation`` compares what
            landed and what was rejected with it.
        landed: Records in the run's table.
        plays: Those that are rows of the fact table.
        ts_from: The earliest time of its events, in ms since 1970; None: it has none.
        ts_to: The latest.
        rejects: Records that were not accepted.
        weight: How many records these may be: :attr:`sparkify.intake.reader.Reading.weight`.
        content: The hash of its plain contents (:mod:`sparkify.intake.content`); None: it has no records, or
            its stream is damaged.
        set_aside: Why none of its rows are loaded; None: they are.
        erased: Records, landed or rejected, that were erased: of forgotten people, or too old.
        expired: Whether all of it was too old.
    """

    file: PlannedFile
    rows_read: int
    landed: int
    plays: int = 0
    ts_from: int | None = None
    ts_to: int | None = None
    rejects: Sequence[Reject] = ()
    weight: int = 0
    content: str | None = None
    set_aside: SetAside | None = None
    erased: int = 0
    expired: bool = False


@dataclass(slots=True)
class CarefulReading:
    """What the careful reader made of files, by their numbers.

    Attributes:
        read: How many records each has.
        rejects: Those that were not accepted.
        weights: How many records these may be.
        contents: The hash of its plain contents.
    """

    read: dict[int, int] = field(default_factory=dict)
    rejects: dict[int, Sequence[Reject]] = field(default_factory=dict)
    weights: dict[int, int] = field(default_factory=dict)
    contents: dict[int, str | None] = field(default_factory=dict)

    def landed(self, file: PlannedFile, read: int, counts: LandedCounts, content: str | None) -> LandedFile:
        """Return what a file came to.

        Args:
            file: The file.
            read: How many records were read.
            counts: What has landed of them.
            content: The hash of its plain contents.
        """
        return LandedFile(
            file,
            read,
            counts.landed,
            counts.plays,
            counts.ts_from,
            counts.ts_to,
            self.rejects.get(file.file_id, ()),
            self.weights.get(file.file_id, 0),
            content if read else None,
        )


@dataclass(slots=True)
class Landing:
    """What a batch came to.

    Attributes:
        kinds: What the records are made of in this warehouse.
        files: The files whose rows are to be loaded.
        aside: Those that are set aside.
        waiting: Those that still cannot be loaded, for the reason the ledger has.
        unread: Why files, by their numbers, could not be read.
        unknown: Counts fields we have no column for, by kind and name.
        first_seen: The URI in which each of these was first met.
        started_at: When the first of its files began to be read.
    """

    kinds: Sequence[RecordKind] = KINDS
    files: list[LandedFile] = field(default_factory=list)
    aside: list[LandedFile] = field(default_factory=list)
    waiting: list[LandedFile] = field(default_factory=list)
    unread: dict[int, SourceError] = field(default_factory=dict)
    unknown: Counter[tuple[str, str]] = field(default_factory=Counter)
    first_seen: dict[tuple[str, str], str] = field(default_factory=dict)
    started_at: datetime = field(default_factory=now)
    # The unknown fields of each file, by its number.
    _unknown_of: dict[int, Counter[tuple[str, str]]] = field(default_factory=dict)

    @property
    def has_news(self) -> bool:
        """Whether the ledger does not know yet what has become of its files."""
        return bool(self.files or self.aside)

    @property
    def scope(self) -> Scope:
        """The events that are to be loaded, and all others between the first and the last of them."""
        ends = [(each.ts_from, each.ts_to) for each in self.files]
        return Scope.of_range(
            min((first for first, _ in ends if first is not None), default=None),
            max((last for _, last in ends if last is not None), default=None),
        )

    def note_unread(self, file: PlannedFile, exc: SourceError) -> None:
        """Note that a file cannot be read, so that the others are loaded without it.

        Raises:
            SourceError: It is not this file alone: the store is away, or refuses the credentials.
        """
        if isinstance(exc, TransientSourceError | CredentialsRefused | SourceNotFound):
            raise exc
        self.unread[file.file_id] = exc

    def without(self, numbers: Collection[int], files: list[LandedFile]) -> Landing:
        """Return the landing without the files of these numbers; ``files`` are those that stay."""
        unknown = self.unknown.copy()
        for number in numbers:
            unknown -= self._unknown_of.get(number, Counter())
        return replace(self, files=files, unknown=unknown)

    def note_unknown(self, file: PlannedFile, counts: Counter[str]) -> None:
        """Add the unknown fields of one file."""
        for name, count in counts.items():
            key = (file.source.kind.name, name)
            self.unknown[key] += count
            self.first_seen.setdefault(key, file.item.uri)
            self._unknown_of.setdefault(file.file_id, Counter())[key] += count


def why_unread(exc: SourceError) -> SetAside:
    """Return why a file that could not be read is set aside."""
    return SetAside(GROWING if isinstance(exc, SourceChanged) else UNREADABLE, exc.message)


def count_landed(engine: Engine, kind: RecordKind) -> dict[int, LandedCounts]:
    """Return what has landed of every file of a kind, by the file's number."""
    return {row[0]: LandedCounts(*row[1:]) for row in engine.execute(statements_of(kind).landed)}


def unland(engine: Engine, numbers: Sequence[int]) -> None:
    """Remove the rows of files from the tables in which they landed."""
    if not numbers:
        return
    engine.insert("run_files", ["file_id"], [(number,) for number in numbers])
    for step in shared_statements().unland:
        engine.execute(step)
    engine.execute(statement("run/no_files.sql"))
