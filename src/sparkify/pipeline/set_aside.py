"""Files that are set aside, so that one bad file does not stop the night: the others are loaded without it.

A file is set aside whole: when too many of its records are rejected, when it cannot be read, or while it is
being written. Of a file that was loaded before the earlier version stays, and the ledger notes why. Each run
tries again what could not be read; what was rejected waits until the file changes, is replayed or accepted.
"""

from __future__ import annotations

from collections.abc import Sequence

from sparkify.errors import CheckError, Command, Hint
from sparkify.pipeline.attention import Attention
from sparkify.pipeline.landing import LandedFile, Landing, SetAside, unland
from sparkify.pipeline.plan import Batch
from sparkify.pipeline.threshold import MaxRejects
from sparkify.text import counted
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import GROWING, REJECTS, UNREADABLE, FileRecord, record
from sparkify.warehouse.statements import statement


def set_aside_bad_files(engine: Engine, landing: Landing, max_rejects: MaxRejects) -> None:
    """Take the files with too many rejects out of what has landed; those told of before wait."""
    judged = [(each, max_rejects.judge(each)) for each in landing.files]
    bad = [each._replace(set_aside=why) for each, why in judged if why]
    if bad:
        unland(engine, [each.file.file_id for each in bad])
        landing.files = [each for each, why in judged if not why]
    bad += landing.aside
    landing.waiting = [each for each in bad if _waits(each)]
    landing.aside = [each for each in bad if not _waits(each)]


def _waits(each: LandedFile) -> bool:
    """Tell whether the ledger has said already why a file cannot be loaded, and has to say no more."""
    why = _why(each).reason
    return each.file.told == why and (why == UNREADABLE or (why == REJECTS and each.file.is_loaded))


def _why(each: LandedFile) -> SetAside:
    assert each.set_aside
    return each.set_aside


def is_news(each: LandedFile) -> bool:
    """Tell whether a file that is set aside now wants a look.

    One that is being written does if the run before missed it too.
    """
    return _why(each).reason != GROWING or each.file.told == GROWING


def verify_anything_loads(batch: Batch, landing: Landing) -> None:
    """Raise if all that is new is bad: then something is wrong with more than a file.

    Raises:
        CheckError: Nothing of it can be loaded.
        SourceError: Nothing of it can be read.
    """
    if not batch.only or landing.files:
        return
    bad = [each for each in landing.aside if _why(each).reason != GROWING]
    rejected = [each for each in bad if _why(each).reason == REJECTS]
    if rejected:
        first = rejected[0]
        raise CheckError(
            f"nothing new can be loaded: {counted(len(rejected), 'file')} would be set aside. "
            f"{first.file.item.uri}: {_why(first).detail}",
            Hint(
                "Nothing was published. See them with {} and {}; mend the files, or let one in as it is with "
                "{}.",
                Command("rejects", "list"),
                Command("rejects", "show"),
                Command("etl", "--accept", "FILE"),
            ),
        )
    if bad:
        raise landing.unread[bad[0].file.file_id]


def new_aside(landing: Landing) -> list[Attention]:
    """Return the files that are set aside and want a look."""
    return [_attention(each) for each in landing.aside if is_news(each)]


def known_aside(landing: Landing) -> list[Attention]:
    """Return those that were told of before (set_aside), or are only being written (growing)."""
    growing = [_attention(each, GROWING) for each in landing.aside if not is_news(each)]
    return [*growing, *map(_attention, landing.waiting)]


def _attention(each: LandedFile, kind: str = "set_aside") -> Attention:
    return Attention(kind, each.file.item.uri, _why(each).detail)


def note_set_aside(engine: Engine, run_id: int, aside: Sequence[LandedFile]) -> None:
    """Write into the ledger which files are set aside, and why."""
    loaded = [each for each in aside if each.file.is_loaded]
    if loaded:
        noted = [(each.file.file_id, *_why(each)) for each in loaded]
        engine.insert("run_moves", ["file_id", "reason", "detail"], noted)
        engine.execute(statement("ledger/note_set_aside.sql"))
        engine.execute(statement("run/no_moves.sql"))
        _choose(engine, loaded)
        engine.execute(statement("ledger/resolve_later_rejects.sql"), run_id=run_id)
    new = [each for each in aside if not each.file.is_loaded]
    if new:
        _choose(engine, new)
        engine.execute(statement("ledger/resolve_rejects.sql"), run_id=run_id)
        engine.execute(statement("ledger/supersede.sql"), state="replaced")
    if aside:
        engine.execute(statement("run/no_files.sql"))
    record(engine, "etl.files", [_file_record(run_id, each) for each in new])


def _choose(engine: Engine, files: Sequence[LandedFile]) -> None:
    engine.execute(statement("run/no_files.sql"))
    engine.insert("run_files", ["file_id"], [(each.file.file_id,) for each in files])


def _file_record(run_id: int, each: LandedFile) -> FileRecord:
    return FileRecord(
        file_id=each.file.file_id,
        run_id=run_id,
        kind=each.file.source.kind.name,
        uri=each.file.item.uri,
        size=each.file.item.size,
        version=each.file.item.version,
        state="set_aside",
        rows_read=each.rows_read,
        rows_loaded=0,
        rows_rejected=len(each.rejects),
        plays_loaded=0,
        content=each.content,
        reason=_why(each).reason,
        detail=_why(each).detail,
        rows_erased=each.erased,
    )
