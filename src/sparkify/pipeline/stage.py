"""Files into the run's temporary tables, and from there into staging."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sparkify.errors import LoadError
from sparkify.lake.codec import decompress
from sparkify.lake.pack import FILE_FIELD, pack
from sparkify.lake.store import read_all
from sparkify.pipeline.plan import EVENTS, SONGS, PlannedFile
from sparkify.pipeline.scope import Scope
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import FileRecord, record
from sparkify.warehouse.statements import read_statements, statement

# One statement parses about this much, so that progress shows; a statement itself costs a millisecond.
_CHUNK_BYTES = 256 * 1024 * 1024
_PACK_FILES = 20_000


class ShowProgress(Protocol):
    """Something that wants to know how far a run is; ``size`` in bytes."""

    def __call__(self, *, files: int = 0, rows: int = 0, size: int = 0, label: str | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Landed:
    """What one file's lines came to before the warehouse is touched."""

    file: PlannedFile
    rows_read: int
    rows_landed: int
    plays: int


def prepare(engine: Engine) -> None:
    """Create the run's temporary tables, and empty them."""
    for path in ("run/run_events.sql", "run/run_songs.sql", "run/run_scope.sql"):
        for step in read_statements(path):
            engine.execute(step)
    for step in read_statements("run/clear.sql"):
        engine.execute(step)


def land(
    engine: Engine, files: Sequence[PlannedFile], spool: Path, progress: ShowProgress
) -> tuple[list[Landed], Scope]:
    """Read, parse and land every file of a batch; the warehouse is not touched.

    Returns:
        What every file came to, and the time range of its events.

    Raises:
        LoadError: A file is not what it should be.
        SourceError: A file cannot be read, or changed meanwhile.
    """
    songs = [file for file in files if file.source.kind == SONGS]
    events = [file for file in files if file.source.kind == EVENTS]
    landed = _land_songs(engine, songs, spool, progress) if songs else []
    scope = Scope()
    if events:
        _land_events(engine, events, spool, progress)
        counts: dict[int, tuple[Any, ...]] = {
            row[0]: row[1:] for row in engine.execute(statement("ledger/landed_events.sql"))
        }
        for file in events:
            lines, plays, ts_from, ts_to = counts.get(file.file_id, (0, 0, None, None))
            landed.append(Landed(file, lines, lines, plays))
            scope = scope.including(ts_from, ts_to)
    return landed, scope


def _land_songs(
    engine: Engine, files: Sequence[PlannedFile], spool: Path, progress: ShowProgress
) -> list[Landed]:
    progress(label="reading songs")
    read: dict[int, int] = {}
    for start in range(0, len(files), _PACK_FILES):
        some = files[start : start + _PACK_FILES]
        packed = spool / "songs.json"
        with packed.open("wb") as out:
            contents = read_all(some[0].source.store, [file.item for file in some])
            for file, (item, data) in zip(some, contents, strict=True):
                lines, records = pack(decompress(data, item.uri), file.file_id, item.uri)
                out.write(lines)
                read[file.file_id] = records
                progress(files=1, rows=records, size=item.size)
        engine.land_songs(packed, FILE_FIELD)
    counts: dict[int, int] = dict(engine.execute(statement("ledger/landed_songs.sql")))
    return [Landed(file, read[file.file_id], counts.get(file.file_id, 0), 0) for file in files]


def _land_events(engine: Engine, files: Sequence[PlannedFile], spool: Path, progress: ShowProgress) -> None:
    progress(label="reading logs")
    for chunk in _chunks(files):
        paths = _fetch(chunk, spool)
        try:
            engine.land_events([(path, file.file_id) for path, file in zip(paths, chunk, strict=True)])
        except LoadError as exc:
            uris = {str(path): file.item.uri for path, file in zip(paths, chunk, strict=True)}
            uri = uris.get(exc.uri, exc.uri)
            raise LoadError(exc.message.replace(exc.uri, uri), exc.hint, uri=uri, line=exc.line) from exc
        for path, file in zip(paths, chunk, strict=True):
            file.source.store.verify(file.item)
            if path.parent == spool:
                path.unlink()
        progress(files=len(chunk), size=sum(file.item.size for file in chunk))


def _fetch(files: Sequence[PlannedFile], spool: Path) -> list[Path]:
    store = files[0].source.store
    with ThreadPoolExecutor(store.threads, thread_name_prefix="sparkify-fetch") as pool:
        return list(pool.map(lambda file: store.local_path(file.item, spool), files))


def _chunks(files: Sequence[PlannedFile]) -> list[list[PlannedFile]]:
    chunks: list[list[PlannedFile]] = [[]]
    size = 0
    for file in files:
        if chunks[-1] and size + file.item.size > _CHUNK_BYTES:
            chunks.append([])
            size = 0
        chunks[-1].append(file)
        size += file.item.size
    return chunks


def forget(engine: Engine, file_ids: Sequence[int], scope: Scope, state: str) -> Scope:
    """Take the rows of replaced or retracted files out of staging; the scope grows by what they touched.

    Args:
        engine: Open for writing.
        file_ids: The files.
        scope: What the run changes so far.
        state: What becomes of their rows in the ledger.
    """
    if not file_ids:
        return scope
    engine.insert("run_files", ["file_id"], [(number,) for number in file_ids])
    ((ts_from, ts_to),) = engine.execute(statement("ledger/removed_range.sql"))
    for step in read_statements("staging/forget.sql"):
        engine.execute(step)
    engine.execute(statement("ledger/supersede.sql"), state=state)
    return scope.including(ts_from, ts_to).with_all_users()


def accept(engine: Engine, run_id: int, landed: Sequence[Landed]) -> None:
    """Move what has landed into staging, and write its files into the ledger."""
    for path in ("staging/staging_events.sql", "staging/staging_songs.sql"):
        for step in read_statements(path):
            engine.execute(step)
    rows = [
        FileRecord(
            file_id=each.file.file_id,
            run_id=run_id,
            kind=each.file.source.kind,
            uri=each.file.item.uri,
            size=each.file.item.size,
            version=each.file.item.version,
            state="loaded",
            rows_read=each.rows_read,
            rows_loaded=each.rows_landed,
            rows_rejected=each.rows_read - each.rows_landed,
            plays_loaded=each.plays,
        )
        for each in landed
    ]
    record(engine, "etl.files", rows)
