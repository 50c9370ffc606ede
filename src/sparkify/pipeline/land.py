"""Files into the run's temporary tables: fast where they are as they should be, carefully where not.

The fast path gives whole files to the engine's strict parser and holds its word against the marks in the
raw bytes. A file that fails, holds a row that may break a rule, or has lines or commas the parser passed
over is read again, record by record (:mod:`sparkify.intake.reader`); its bad records are rejects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sparkify.errors import LoadError
from sparkify.intake.marks import Marks
from sparkify.intake.pack import FILE_FIELD, as_keys, pack
from sparkify.intake.reader import Reading, Reject, read_carefully
from sparkify.lake.store import read_all
from sparkify.pipeline.fetch import FetchedFile, blaming_the_lake, fetch_copies, fetching
from sparkify.pipeline.plan import EVENTS, SONGS, PlannedFile, in_groups
from sparkify.pipeline.progress import ShowProgress
from sparkify.pipeline.scope import Scope
from sparkify.warehouse.engine import Engine, LogFile
from sparkify.warehouse.ledger import now
from sparkify.warehouse.records import EVENT_FIELDS, SONG_FIELDS
from sparkify.warehouse.statements import read_statements, statement

# One statement parses about this much, so that progress shows; at 64 MiB a load takes 1.2 x the time.
_CHUNK_BYTES = 512 * 1024 * 1024
_PACK_BYTES = 64 * 1024 * 1024
_MUCH_BYTES = 16 * 1024 * 1024
# The counts of a log file of which nothing landed, as in ledger/landed_events.sql.
_NOTHING = (0, 0, None, None, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class LandedFile:
    """What one file's records came to before the warehouse is touched.

    Attributes:
        rows_read: Records read, counted before any of them landed: the check ``conservation`` holds what
            landed and what was rejected against it.
        landed: Records in the run's table.
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

    def note_unknown(self, kind: str, uri: str, counts: Counter[str]) -> None:
        """Add the unknown fields of one file."""
        for name, count in counts.items():
            self.unknown[kind, name] += count
            self.first_seen.setdefault((kind, name), uri)


def land(engine: Engine, files: Sequence[PlannedFile], spool: Path, progress: ShowProgress) -> Landing:
    """Read, parse and land every file of a batch in the run's own tables; the warehouse is not touched.

    Logs are fetched and counted from the start, while tables are made and songs land.

    Raises:
        SourceError: A file cannot be read, or changed meanwhile.
    """
    landing = Landing()
    songs = [file for file in files if file.source.kind == SONGS]
    events = [file for file in files if file.source.kind == EVENTS]
    much = sum(file.item.size for file in events) > _MUCH_BYTES
    with fetching(in_groups(events, _CHUNK_BYTES), spool, much=much) as chunks:
        engine.prepare()
        if songs:
            progress(label="reading songs")
            _land_songs(engine, songs, spool, progress, landing)
        if events:
            progress(label="reading logs")
            _land_events(engine, events, chunks, spool, progress, landing)
    return landing


def _land_songs(
    engine: Engine, files: Sequence[PlannedFile], spool: Path, progress: ShowProgress, landing: Landing
) -> None:
    keys = as_keys([each.key for each in SONG_FIELDS])
    doubtful: set[int] = set()
    for chunk in in_groups(files, _PACK_BYTES):
        packed = spool / "songs.json"
        numbers = []
        with packed.open("wb") as out:
            contents = read_all(chunk[0].source.store, [file.item for file in chunk])
            for file, (item, data) in zip(chunk, contents, strict=True):
                line = pack(data, file.file_id, keys)
                if line is None:
                    doubtful.add(file.file_id)
                else:
                    numbers.append(file.file_id)
                    out.write(line)
                progress(files=1, rows=1, size=item.size)
        try:
            engine.land_songs(packed, FILE_FIELD)
        except LoadError:
            doubtful.update(numbers)
    counts = {row[0]: row[1:] for row in engine.execute(statement("ledger/landed_songs.sql"))}
    doubtful.update(number for number, (_, suspects) in counts.items() if suspects)
    readings = _read_again(engine, [file for file in files if file.file_id in doubtful], landing)

    def pack_again(file: PlannedFile, reading: Reading) -> Iterator[bytes]:
        prefix = b'{"%s": %d, ' % (FILE_FIELD.encode(), file.file_id)
        return (prefix + line[1:] for line in reading.lines)

    # One record a file, unless it is read again.
    read = dict.fromkeys((file.file_id for file in files), 1)
    rejects: dict[int, Sequence[Reject]] = {}
    with (spool / "songs.json").open("wb") as out:
        for file, reading in readings:
            out.writelines(pack_again(file, reading))
            rejects[file.file_id] = reading.rejects
            read[file.file_id] = reading.records
    if doubtful:
        with _naming(files):
            engine.land_songs(spool / "songs.json", FILE_FIELD, accepted=True)
        counts = {row[0]: row[1:] for row in engine.execute(statement("ledger/landed_songs.sql"))}
    for file in files:
        landed, _ = counts.get(file.file_id, (0, 0))
        landing.files.append(
            LandedFile(file, read[file.file_id], landed, rejects=rejects.get(file.file_id, ()))
        )


def _land_events(
    engine: Engine,
    files: Sequence[PlannedFile],
    chunks: Iterable[list[FetchedFile]],
    spool: Path,
    progress: ShowProgress,
    landing: Landing,
) -> None:
    marks: dict[int, Marks] = {}
    doubtful: set[int] = set()
    for chunk in chunks:
        with blaming_the_lake(each.file for each in chunk):
            doubtful |= _land_strictly(engine, chunk)
        for each in chunk:
            marks[each.file.file_id] = each.marks
            copied = each.path.parent == spool
            if not copied or engine.reads_lake:
                each.file.source.store.verify(each.file.item)
            if copied:
                each.path.unlink()
            progress(files=1, rows=each.marks.lines, size=each.file.item.size)
    counts = {row[0]: row[1:] for row in engine.execute(statement("ledger/landed_events.sql"))}
    strange = _compare(files, marks, counts, doubtful)
    doubtful |= _survey(engine, strange, spool, landing)
    doubted = [file for file in files if file.file_id in doubtful]
    read = {number: mark.lines for number, mark in marks.items()}
    careful, rejects = _land_carefully(engine, doubted, spool, landing)
    read |= careful
    if doubtful:
        counts = {row[0]: row[1:] for row in engine.execute(statement("ledger/landed_events.sql"))}
    for file in files:
        landed, plays, ts_from, ts_to, *_ = counts.get(file.file_id, _NOTHING)
        landing.files.append(
            LandedFile(file, read[file.file_id], landed, plays, rejects.get(file.file_id, ()))
        )
        landing.scope = landing.scope.including(ts_from, ts_to)


def _compare(
    files: Sequence[PlannedFile],
    marks: Mapping[int, Marks],
    counts: Mapping[int, tuple[Any, ...]],
    doubtful: set[int],
) -> list[PlannedFile]:
    """Hold what landed against the marks: add to the doubtful files; return those of unusual fields."""
    strange: list[PlannedFile] = []
    for file in files:
        landed, _, _, _, suspects, nulls, texts = counts.get(file.file_id, _NOTHING)
        mark = marks[file.file_id]
        disproved = mark.plain and (mark.texts, mark.nulls) != (texts, nulls)
        if file.file_id in doubtful or disproved or suspects or mark.odd or landed != mark.lines:
            doubtful.add(file.file_id)
        elif mark.strange or mark.nested or mark.keys != landed * len(EVENT_FIELDS) or mark.nulls != nulls:
            strange.append(file)
    return strange


def _land_carefully(
    engine: Engine, files: Sequence[PlannedFile], spool: Path, landing: Landing
) -> tuple[dict[int, int], dict[int, Sequence[Reject]]]:
    """Land what our rules accept of doubtful log files.

    Returns:
        How many records each has, and its rejects.
    """
    read: dict[int, int] = {}
    rejects: dict[int, Sequence[Reject]] = {}
    accepted: list[LogFile] = []
    size = 0
    for file, reading in _read_again(engine, files, landing):
        accepted.append(LogFile(spool / f"{file.file_id}.json", file.file_id))
        with accepted[-1].path.open("wb") as out:
            out.writelines(reading.lines)
            size += out.tell()
        read[file.file_id] = reading.records
        rejects[file.file_id] = reading.rejects
        if size > _CHUNK_BYTES:
            _land_accepted(engine, accepted, files)
            accepted, size = [], 0
    _land_accepted(engine, accepted, files)
    return read, rejects


def _land_accepted(engine: Engine, accepted: Sequence[LogFile], files: Sequence[PlannedFile]) -> None:
    """Land records of our own writing, all at once, and remove their files."""
    if accepted:
        with _naming(files):
            engine.land_events(accepted, plain=False)
        for each in accepted:
            each.path.unlink()


def _land_strictly(engine: Engine, files: Sequence[FetchedFile]) -> set[int]:
    """Land files as they seem to be, again where they are not; return those that do not parse."""
    failed = _land_together(engine, [each.log for each in files if not each.plain], plain=False)
    failed |= _land_together(engine, [each.log for each in files if each.plain], plain=True)
    mistaken = [each.log for each in files if each.plain and not each.marks.plain]
    if mistaken:
        numbers = [log.file_id for log in mistaken]
        _take_back(engine, numbers)
        failed = failed.difference(numbers) | _land_together(engine, mistaken, plain=False)
    return failed


def _land_together(engine: Engine, logs: Sequence[LogFile], *, plain: bool) -> set[int]:
    """Land files in one statement, or one by one if that fails; return those that do not parse."""
    if not logs:
        return set()
    try:
        engine.land_events(logs, plain=plain)
    except LoadError:
        if len(logs) == 1:
            return {logs[0].file_id}
        return set().union(*(_land_together(engine, [log], plain=plain) for log in logs))
    return set()


def _take_back(engine: Engine, numbers: Sequence[int]) -> None:
    """Take the rows of files out of the run's tables again."""
    engine.insert("run_files", ["file_id"], [(number,) for number in numbers])
    for step in read_statements("run/unland.sql"):
        engine.execute(step)


def _read_again(
    engine: Engine, files: Sequence[PlannedFile], landing: Landing
) -> Iterator[tuple[PlannedFile, Reading]]:
    """Take back what landed of doubtful files, and read each carefully."""
    if not files:
        return
    _take_back(engine, [file.file_id for file in files])
    for file in files:
        fields = SONG_FIELDS if file.source.kind == SONGS else EVENT_FIELDS
        reading = read_carefully(file.source.store.read(file.item), fields)
        landing.note_unknown(file.source.kind, file.item.uri, reading.unknown)
        yield file, reading


@contextmanager
def _naming(files: Sequence[PlannedFile]) -> Iterator[None]:
    """Have an error about a file that an engine knows by its number name the file."""
    try:
        yield
    except LoadError as exc:
        named = next((file.item.uri for file in files if str(file.file_id) == exc.uri), None)
        if named is None:
            raise
        raise LoadError(f"{named}: {exc.message}", exc.hint, uri=named, line=exc.line) from exc


def _survey(engine: Engine, files: Sequence[PlannedFile], spool: Path, landing: Landing) -> set[int]:
    """Count the fields of files that hold others than we know, or lack some; return the doubtful ones."""
    if not files:
        return set()
    known = {each.key for each in EVENT_FIELDS}
    doubtful = set()
    for group in in_groups(files, _PACK_BYTES):
        with fetch_copies(group, spool) as copies:
            paths = {str(path): file for path, file in zip(copies, group, strict=True)}
            counts: dict[str, Counter[str]] = {path: Counter() for path in paths}
            for path, key, count in engine.survey(copies):
                if key is None:
                    doubtful.add(paths[path].file_id)
                elif key not in known:
                    counts[path][key] = count
        for path, file in paths.items():
            if file.file_id not in doubtful:
                landing.note_unknown(EVENTS, file.item.uri, counts[path])
    return doubtful
