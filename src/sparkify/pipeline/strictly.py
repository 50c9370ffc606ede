"""Large files: read by the engine's strict parser, whose word is compared with the marks in their bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sparkify.errors import LoadError
from sparkify.intake.marks import Marks
from sparkify.pipeline.carefully import unland
from sparkify.pipeline.fetch import FetchedFile, blaming_the_lake, fetch_copies
from sparkify.pipeline.landing import LandedCounts, Landing, count_landed
from sparkify.pipeline.plan import PlannedFile, in_groups
from sparkify.pipeline.progress import ShowProgress
from sparkify.records import RecordKind
from sparkify.warehouse.engine import Engine, RecordFile

_SURVEYED_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FirstReading:
    """What the fast path made of files, by their numbers.

    Attributes:
        read: Records read.
        counts: What landed; files of which nothing did are left out.
        again: The files that need re-reading.
    """

    read: Mapping[int, int]
    counts: Mapping[int, LandedCounts]
    again: set[int]


def land_strictly(
    engine: Engine,
    kind: RecordKind,
    chunks: Iterable[list[FetchedFile]],
    folder: Path,
    progress: ShowProgress,
    landing: Landing,
) -> FirstReading:
    """Land files as they seem to be, and find those that need re-reading; unknown fields go to ``landing``.

    Raises:
        SourceError: A file cannot be read, or changed meanwhile.
    """
    marks: dict[int, Marks] = {}
    files: list[PlannedFile] = []
    again: set[int] = set()
    for chunk in chunks:
        with blaming_the_lake(each.file for each in chunk):
            again |= _land_chunk(engine, kind, chunk)
        for each in chunk:
            files.append(each.file)
            marks[each.file.file_id] = each.marks
            copied = each.path.parent == folder
            if not copied or engine.reads_lake:
                each.file.source.store.verify(each.file.item)
            if copied:
                each.path.unlink()
            progress(files=1, rows=each.marks.lines, size=each.file.item.size)
    counts = count_landed(engine, kind)
    with_other_fields = []
    for file in files:
        mark, count = marks[file.file_id], counts.get(file.file_id, LandedCounts())
        if file.file_id in again or _contradict(mark, count):
            again.add(file.file_id)
        elif _may_have_other_fields(mark, count, kind):
            with_other_fields.append(file)
    again |= _survey(engine, kind, with_other_fields, folder, landing)
    return FirstReading({number: mark.lines for number, mark in marks.items()}, counts, again)


def _contradict(mark: Marks, count: LandedCounts) -> bool:
    """Tell whether the bytes of a file contradict what the parser made of them, or forbid to believe it."""
    other_texts = mark.flat and mark.texts != count.texts
    return bool(other_texts or count.needs_rereading or mark.needs_rereading or count.landed != mark.lines)


def _may_have_other_fields(mark: Marks, count: LandedCounts, kind: RecordKind) -> bool:
    """Tell whether a file may hold fields without a column, or a known one twice.

    Every known field is a value in the table or a null in the file; whatever more there is has no column. A
    record may lack a field that is not required.
    """
    values = count.landed * len(kind.fields) - count.nulls
    return mark.unknown_null or mark.nested or mark.nulls > count.nulls or mark.keys != values + mark.nulls


def _land_chunk(engine: Engine, kind: RecordKind, files: Sequence[FetchedFile]) -> set[int]:
    """Land files as they seem to be, again where they are not; return those that do not parse."""
    failed = _land_together(engine, kind, [each.records for each in files if not each.flat], flat=False)
    failed |= _land_together(engine, kind, [each.records for each in files if each.flat], flat=True)
    mistaken = {each.file.file_id: each.records for each in files if each.flat and not each.marks.flat}
    if mistaken:
        unland(engine, list(mistaken))
        failed = (failed - mistaken.keys()) | _land_together(
            engine, kind, list(mistaken.values()), flat=False
        )
    return failed


def _land_together(engine: Engine, kind: RecordKind, files: Sequence[RecordFile], *, flat: bool) -> set[int]:
    """Land files in one statement, or one by one if that fails; return those that do not parse."""
    if not files:
        return set()
    try:
        engine.land(kind, files, flat=flat)
    except LoadError:
        if len(files) == 1:
            return {number for file in files if (number := file.file_id) is not None}
        return set().union(*(_land_together(engine, kind, [file], flat=flat) for file in files))
    return set()


def _survey(
    engine: Engine, kind: RecordKind, files: Sequence[PlannedFile], folder: Path, landing: Landing
) -> set[int]:
    """Count the fields of files that may have others than we know; return those that need re-reading."""
    again = set()
    for group in in_groups(files, _SURVEYED_BYTES):
        with fetch_copies(group, folder) as copies:
            paths = {str(path): file for path, file in zip(copies, group, strict=True)}
            counts: dict[str, Counter[str]] = {path: Counter() for path in paths}
            for path, key, count in engine.survey(kind, copies):
                if key is None:
                    again.add(paths[path].file_id)
                elif key not in kind.keys:
                    counts[path][key] = count
        for path, file in paths.items():
            if file.file_id not in again:
                landing.note_unknown(file, counts[path])
    return again
