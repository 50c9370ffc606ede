"""What is older than the warehouse keeps: out of it, with its rejects, and out of what lands later.

Days are those of UTC, and are kept whole. The bound, the midnight before the first of them, is written into
``etl.erased`` and only ever moves forward: a longer time brings nothing back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from sparkify.custom.definitions import NO_MODELS, Models
from sparkify.pipeline.erased import MOMENT, Erased, Glimpse, glimpse
from sparkify.pipeline.erasure import (
    ErasedReject,
    bring_up_to_date,
    record_erased,
    take_note,
    verify_models,
    verify_version,
)
from sparkify.pipeline.progress import ShowProgress
from sparkify.pipeline.removal import RETAIN, Change, as_run
from sparkify.pipeline.scope import Piece, Scope
from sparkify.records import EVENTS
from sparkify.warehouse.connect import require
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import ErasedRecord, Meta, RunRecord, read_erased
from sparkify.warehouse.statements import read_statements, statement


@dataclass(frozen=True, slots=True)
class FoundOlder:
    """What the warehouse holds before a moment.

    Attributes:
        events: How many events.
        plays: How many of these are plays.
        first_ts: The moment of the first of them, in ms since 1970; None: there is none.
        last_ts: That of the last.
        rejects: How many rejected records.
        files: The files that hold nothing else.
        first_kept: The first day that stays, UTC.
    """

    events: int
    plays: int
    first_ts: int | None
    last_ts: int | None
    rejects: int
    files: list[str]
    first_kept: date


@dataclass(frozen=True, slots=True)
class Expired:
    """What went for its age: counts, the moments it was of, and the first run that loaded any of it."""

    rows: int = 0
    plays: int = 0
    rejects: int = 0
    scope: Scope = field(default_factory=Scope)
    first_run: int | None = None

    def __bool__(self) -> bool:
        return bool(self.rows or self.rejects)

    @property
    def change(self) -> Change:
        """What the history says of it."""
        return Change(
            rows_loaded=-self.rows,
            rows_rejected=-self.rejects,
            plays_loaded=-self.plays,
            rows_erased=self.rows + self.rejects,
        )


def bound_of(days: int, today: date) -> int:
    """Return the moment from which on events are kept, in ms since 1970.

    Args:
        days: How many days before today are kept whole.
        today: The day it is, UTC.
    """
    first = max(today.toordinal() - days, 1)
    midnight = datetime.combine(date.fromordinal(first), time(), UTC)
    return (midnight - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def find_older(engine: Engine, before: int, models: Models = NO_MODELS) -> FoundOlder:
    """Return what there is before a moment; nothing is changed.

    Raises:
        EngineError: There is no warehouse.
        SparkifyError: Rows of a model of the user's cannot be computed anew.
    """
    with engine.reading() as exists:
        require(engine, exists=exists)
        verify_version(engine)
        verify_models(engine, models)
        ((events, plays, first_ts, last_ts),) = engine.execute(
            statement("erase/find_older.sql"), before_ts=before
        )
        emptied: dict[int, str] = dict(engine.execute(statement("erase/emptied.sql"), before_ts=before))
        rejects, expired = _find_rejects(engine, Erased(before=before), emptied)
    return FoundOlder(
        int(events),
        int(plays),
        first_ts,
        last_ts,
        len(rejects),
        sorted(emptied[each] for each in expired),
        date(1970, 1, 1) + timedelta(milliseconds=before),
    )


def _find_rejects(
    engine: Engine, erased: Erased, emptied: Collection[int]
) -> tuple[list[ErasedReject], list[int]]:
    """Return the rejected records that are too old, and which files nothing is left of.

    Of a file without a younger event or reject all of them are.
    """
    by_file: dict[int, list[tuple[ErasedReject, Glimpse]]] = defaultdict(list)
    for (run_id,) in engine.execute(statement("erase/runs_with_rejects.sql")):
        for number, offset, uri, encoding, content, kind in engine.execute(
            statement("erase/rejects_of_run.sql"), run_id=run_id
        ):
            if kind in (EVENTS.name, None):
                reject = ErasedReject(number, run_id, offset, uri)
                by_file[number].append((reject, glimpse(content, encoding)))
    before = erased.before or 0
    found: list[ErasedReject] = []
    younger = set()
    for number, rejects in by_file.items():
        if any(max(seen.moments, default=0) >= before for _, seen in rejects):
            younger.add(number)
        whole = number in emptied and number not in younger
        found += [reject for reject, seen in rejects if whole or erased.is_older(seen)]
    return found, [number for number in emptied if number not in younger]


def expire(engine: Engine, run_id: int, before: int, models: Models) -> Expired:
    """Take what is before a moment out of staging and the ledger; the star is still to be computed.

    Args:
        engine: Open for writing.
        run_id: The run that does it.
        before: The moment, in ms since 1970.
        models: The user's own models.

    Returns:
        What went.

    Raises:
        SparkifyError: Rows of a model of the user's cannot be computed anew.
    """
    known = Erased.of(read_erased(engine))
    if known.before is None or known.before < before:
        engine.execute(statement("erase/no_bound.sql"))
        record_erased(engine, run_id, [ErasedRecord(None, MOMENT, before_ts=before)])
    ((_, _, first_ts, _),) = engine.execute(statement("erase/find_older.sql"), before_ts=before)
    emptied: dict[int, str] = dict(engine.execute(statement("erase/emptied.sql"), before_ts=before))
    rejects, expired = _find_rejects(engine, Erased(before=before), emptied)
    if first_ts is None and not rejects:
        return Expired()
    verify_models(engine, models)
    for step in read_statements("erase/run_tables.sql"):
        engine.execute(step)
    engine.execute(statement("erase/count_older.sql"), before_ts=before)
    ((first_run,),) = engine.execute(statement("erase/first_run.sql"), run_id=run_id)
    gone, plays = take_note(engine, rejects)
    for step in read_statements("erase/older.sql"):
        engine.execute(step, before_ts=before)
    if expired:
        engine.insert("run_files", ["file_id"], [(number,) for number in expired])
        engine.execute(statement("erase/expired_files.sql"))
        engine.execute(statement("run/no_files.sql"))
    scope = Scope((Piece(int(first_ts), before - 1),)) if first_ts is not None else Scope()
    return Expired(gone, plays, len(rejects), scope, int(first_run))


def retain(engine: Engine, before: int, progress: ShowProgress, models: Models = NO_MODELS) -> RunRecord:
    """Take what is before a moment out of the warehouse, in one transaction; later files stay without it.

    Args:
        engine: The warehouse.
        before: The moment, in ms since 1970.
        progress: Told what is done.
        models: The user's own models and checks.

    Returns:
        The record of this run.

    Raises:
        SparkifyError: Rows of a model of the user's cannot be computed anew; or a check failed.
    """

    def change(run_id: int, meta: Meta) -> Change:
        progress(label="removing rows")
        expired = expire(engine, run_id, before, models)
        first = expired.first_run or run_id
        plays, matched, staged = bring_up_to_date(
            engine, expired.scope, run_id, first, meta, models, progress
        )
        counts = {"duplicates": staged - plays, "songplays": plays, "plays_matched": matched}
        return expired.change._replace(**counts)

    return as_run(engine, [], RETAIN, progress, change)


def has_older(engine: Engine, before: int) -> bool:
    """Tell whether there is an event before a moment."""
    with engine.reading() as exists:
        if not exists or "etl.days" not in engine.tables():
            return False
        ((oldest,),) = engine.execute(statement("erase/oldest_day.sql"))
    return oldest is not None and oldest < before
