"""What has landed into staging, and out of it again; and both into the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sparkify.pipeline.landing import Landing
from sparkify.records import KINDS, RecordKind
from sparkify.text import counted
from sparkify.warehouse.derived import shared_statements
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import FileRecord, RejectRecord, UnknownField, record
from sparkify.warehouse.statements import list_files, read_statements, statement

# Characters of a field's name; each is up to 4 bytes of the column's 1,024.
_LONGEST_NAME = 200


def forget(engine: Engine, run_id: int, file_ids: Sequence[int], state: str) -> None:
    """Remove the rows of replaced or retracted files from staging; what they touch is noted.

    Args:
        engine: Open for writing.
        run_id: This run.
        file_ids: The files.
        state: What becomes of their rows in the ledger.
    """
    if not file_ids:
        return
    engine.insert("run_files", ["file_id"], [(number,) for number in file_ids])
    _touch(engine, "removed")
    for step in shared_statements().remove:
        engine.execute(step)
    engine.execute(statement("ledger/supersede.sql"), state=state)
    engine.execute(statement("ledger/resolve_rejects.sql"), run_id=run_id)


def _touch(engine: Engine, what: str, *, kinds: Sequence[RecordKind] = KINDS) -> None:
    """Note, in the run's own tables, what the star has to compute anew for records accepted or removed."""
    noted = list_files("touch")
    for kind in kinds:
        path = f"touch/{kind.name}_{what}.sql"
        for step in read_statements(path) if path in noted else ():
            engine.execute(step)


def accept(engine: Engine, run_id: int, landing: Landing, *, first: bool = False) -> None:
    """Move what has landed into staging, and write its files, rejects and unknown fields into the ledger.

    Args:
        engine: Open for writing.
        run_id: This run.
        landing: What has landed.
        first: Whether the warehouse has no event yet: their moments need not be noted one by one.
    """
    given = {each.file.source.kind for each in landing.files}
    kinds = [kind for kind in landing.kinds if kind in given]
    # Before the rows move: what landed inside a new file is renamed.
    _touch(engine, "accepted", kinds=[kind for kind in kinds if not (first and kind.fact)])
    for kind in kinds:
        engine.accept(kind)
    files = [
        FileRecord(
            file_id=each.file.file_id,
            run_id=run_id,
            kind=each.file.source.kind.name,
            uri=each.file.item.uri,
            size=each.file.item.size,
            version=each.file.item.version,
            state="expired" if each.expired else "loaded",
            rows_read=each.rows_read,
            rows_loaded=each.landed,
            rows_rejected=len(each.rejects),
            plays_loaded=each.plays,
            content=each.content,
            rows_erased=each.erased,
        )
        for each in landing.files
    ]
    record(engine, "etl.files", files)
    quarantine(engine, run_id, landing)


def told_apart(name: str) -> str:
    """Return a field's name; of a long one the beginning, and a hash by which it differs from others."""
    if len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
    return f"{name[:_LONGEST_NAME]}… ({counted(len(name), 'character')}, {digest})"


def quarantine(engine: Engine, run_id: int, landing: Landing) -> None:
    """Write the rejects and the unknown fields of a landing into the ledger."""
    rejects = [
        RejectRecord(
            run_id=run_id,
            file_id=each.file.file_id,
            uri=each.file.item.uri,
            line=reject.line,
            byte_offset=reject.byte_offset,
            reason=reject.reason,
            detail=reject.detail,
            content=reject.content,
            encoding=reject.encoding,
            size=reject.size,
            kind=each.file.source.kind.name,
        )
        for each in (*landing.files, *landing.aside)
        for reject in each.rejects
    ]
    record(engine, "etl.rejects", rejects)
    unknown = [
        UnknownField(run_id, kind, told_apart(name), count, landing.first_seen[kind, name])
        for (kind, name), count in landing.unknown.items()
    ]
    record(engine, "etl.unknown_fields", unknown)
