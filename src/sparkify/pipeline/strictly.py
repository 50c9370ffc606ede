"""Large files: read by the engine's strict parser, whose word is compared with the marks in their bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sparkify.errors import LoadError, SourceError
from sparkify.intake.marks import Marks
from sparkify.pipeline.fetch import (
    FetchedFile,
    blaming_the_lake,
    count_file,
    fetch_copies,
    remove_copy,
    separate_file,
)
from sparkify.pipeline.landing import LandedCounts, Landing, count_landed, unland
from sparkify.pipeline.plan import PlannedFile, in_groups
from sparkify.pipeline.progress import ShowProgress
from sparkify.records import RecordKind
from sparkify.warehouse.engine import Engine, Judged, RecordFile

_SURVEYED_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FirstReading:
    """What the fast path made of files, by their numbers.

    Attributes:
        read: Records read.
        counts: What landed; files of which nothing did are left out.
        again: The files that need re-reading.
        contents: The hashes of their plain contents, unless they need re-reading.
    """

    read: Mapping[int, int]
    counts: Mapping[int, LandedCounts]
    again: set[int]
    contents: Mapping[int, str | None]


def land_strictly(
    engine: Engine,
    kind: RecordKind,
    chunks: Iterable[list[FetchedFile]],
    folder: Path,
    progress: ShowProgress,
    landing: Landing,
) -> FirstReading:
    """Land files as they seem to be, and find those that need re-reading.

    Unknown fields, and files that cannot be read or changed meanwhile, go to ``landing``.

    Raises:
        SourceError: The store cannot be read.
    """
    marks: dict[int, Marks] = {}
    files: list[PlannedFile] = []
    again: set[int] = set()
    separated: set[int] = set()
    judged: dict[int, Judged] = {}
    for chunk in chunks:
        progress(reading=sum(each.file.item.size for each in chunk))
        failed, joined = _land_readable(engine, kind, chunk, folder, landing, judged)
        again |= failed - joined.keys()
        separated |= joined.keys() | {each.file.file_id for each in chunk if each.separated}
        for each in chunk:
            rows = 0
            if _is_unchanged(engine, each, folder, landing):
                files.append(each.file)
                mark = marks[each.file.file_id] = joined.get(each.file.file_id, each.marks)
                rows = mark.lines
            progress(files=1, rows=rows, size=each.file.item.size)
    counts = count_landed(engine, kind)
    with_other_fields = []
    for file in files:
        mark, count = marks[file.file_id], counts.get(file.file_id, LandedCounts())
        found = judged.get(file.file_id)
        if file.file_id in again or _contradict(mark, count) or _differ(found, count, kind):
            again.add(file.file_id)
        elif found:
            landing.note_unknown(file, found.others)
        elif _may_have_other_fields(mark, count, kind):
            with_other_fields.append(file)
    if with_other_fields:
        again |= _land_other_fields(
            engine, kind, with_other_fields, marks, counts, folder, landing, separated
        )
        counts = count_landed(engine, kind)
    contents = {number: mark.content for number, mark in marks.items()}
    return FirstReading({number: mark.lines for number, mark in marks.items()}, counts, again, contents)


def _is_unchanged(engine: Engine, each: FetchedFile, folder: Path, landing: Landing) -> bool:
    """Tell whether a file is what was listed now that it has been read; its copy is removed."""
    try:
        # What was counted is what was parsed: both are done.
        _ = each.marks
        if each.path.parent != folder or engine.reads_lake:
            each.file.source.store.verify(each.file.item)
    except SourceError as exc:
        landing.note_unread(each.file, exc)
        return False
    finally:
        remove_copy(each.path, folder)
    return True


def _land_readable(
    engine: Engine,
    kind: RecordKind,
    chunk: Sequence[FetchedFile],
    folder: Path,
    landing: Landing,
    judged: dict[int, Judged],
) -> tuple[set[int], dict[int, Marks]]:
    """Land files, without those that turn out not to be readable; note in ``judged`` what they hold.

    Returns:
        Those that do not parse, and of these the marks of those that do once line breaks are put in.
    """
    while True:
        files = [each for each in chunk if each.file.file_id not in landing.unread]
        try:
            with blaming_the_lake(each.file for each in files):
                failed = _land_chunk(engine, kind, files, judged)
                joined = [each for each in files if each.file.file_id in failed and not each.separated]
                return failed, _land_joined(engine, kind, joined, folder)
        except SourceError as exc:
            named = next((each.file for each in files if each.file.item.uri == exc.uri), None)
            if named is None:
                raise
            landing.note_unread(named, exc)
            unland(engine, [each.file.file_id for each in files])


def _contradict(mark: Marks, count: LandedCounts) -> bool:
    """Tell whether the bytes of a file contradict what the parser made of them, or forbid to believe it."""
    return bool(count.needs_rereading or mark.needs_rereading or count.landed != mark.lines)


def _differ(found: Judged | None, count: LandedCounts, kind: RecordKind) -> bool:
    """Tell whether other values have landed than the engine has read."""
    return found is not None and (found.values, found.extras) != (_values(count, kind), count.extras)


def _may_have_other_fields(mark: Marks, count: LandedCounts, kind: RecordKind) -> bool:
    """Tell whether a file may hold fields without a column, or a known one twice.

    Every known field is a value in the table or a null in the file; whatever more there is has no column. A
    record may lack a field that is not required.
    """
    return not mark.flat and (
        mark.unknown_null or mark.nulls > count.nulls or _may_have_other_values(mark, count, kind)
    )


def _may_have_other_values(mark: Marks, count: LandedCounts, kind: RecordKind) -> bool:
    """Tell whether fields without a column may hold more than nulls."""
    return mark.nested or mark.keys != _values(count, kind) + mark.nulls


def _values(count: LandedCounts, kind: RecordKind) -> int:
    """Return how many values in the table are not null."""
    return count.landed * len(kind.fields) - count.nulls


def _land_chunk(
    engine: Engine, kind: RecordKind, files: Sequence[FetchedFile], judged: dict[int, Judged]
) -> set[int]:
    """Land files as they seem to be, again where they are not; return those that do not parse."""
    if not engine.parses:
        if files:
            judged.update(engine.land(kind, [each.records for each in files]))
        return set()
    failed = _land_together(engine, kind, [each.records for each in files if not each.flat], flat=False)
    failed |= _land_together(engine, kind, [each.records for each in files if each.flat], flat=True)
    mistaken = {each.file.file_id: each.records for each in files if each.flat and not each.marks.flat}
    if mistaken:
        unland(engine, list(mistaken))
        failed = (failed - mistaken.keys()) | _land_together(
            engine, kind, list(mistaken.values()), flat=False
        )
    return failed


def _land_joined(
    engine: Engine, kind: RecordKind, files: Sequence[FetchedFile], folder: Path
) -> dict[int, Marks]:
    """Put line breaks into files and land them; return the marks of those that parse now.

    Their first bytes did not show it: `cat` joins files, the last line of which has no break.
    """
    joined = {}
    for each in files:
        copy, separated = separate_file(each.file, each.path, folder)
        if separated is None:
            continue
        marks = count_file(each.file, copy, separated, engine.keys_read, much=each.much)
        records = RecordFile(copy, each.file.file_id, each.file.item.uri)
        if not _land_together(engine, kind, [records], flat=marks.flat):
            joined[each.file.file_id] = marks
        copy.unlink()
    return joined


def _land_together(
    engine: Engine,
    kind: RecordKind,
    files: Sequence[RecordFile],
    *,
    flat: bool,
    others: Sequence[str] = (),
) -> set[int]:
    """Land files in one statement, or one by one if that fails; return those that do not parse."""
    if not files:
        return set()
    try:
        engine.land(kind, files, flat=flat, others=others)
    except LoadError:
        if len(files) == 1:
            return {number for file in files if (number := file.file_id) is not None}
        return set().union(
            *(_land_together(engine, kind, [file], flat=flat, others=others) for file in files)
        )
    return set()


def _land_other_fields(
    engine: Engine,
    kind: RecordKind,
    files: Sequence[PlannedFile],
    marks: Mapping[int, Marks],
    counts: Mapping[int, LandedCounts],
    folder: Path,
    landing: Landing,
    separated: Container[int],
) -> set[int]:
    """Find the fields without a column, and land the files that have some again, with these fields' values.

    Files whose numbers are in ``separated`` are lines once line breaks are put in.

    Returns:
        Those that need re-reading.
    """
    again: set[int] = set()
    others: dict[int, Counter[str]] = {}
    for group in in_groups(files, _SURVEYED_BYTES):
        with fetch_copies(group, folder, landing, separated) as copies:
            found = _survey(engine, kind, copies, again)
            others |= found
            alike: dict[tuple[str, ...], list[RecordFile]] = {}
            for path, file in copies:
                number = file.file_id
                mark, count = marks[number], counts.get(number, LandedCounts())
                if found.get(number) and _may_have_other_values(mark, count, kind):
                    keys = tuple(sorted(found[number]))
                    alike.setdefault(keys, []).append(RecordFile(path, number, file.item.uri))
            again |= _land_with_others(engine, kind, alike)
            for path, file in copies:
                if path.parent != folder:
                    _verify(file, landing)
    landed = count_landed(engine, kind)
    for file in files:
        number = file.file_id
        if number in again or _contradict(marks[number], landed.get(number, LandedCounts())):
            again.add(number)
        else:
            landing.note_unknown(file, others.get(number, Counter()))
    return again


def _land_with_others(
    engine: Engine, kind: RecordKind, alike: Mapping[tuple[str, ...], Sequence[RecordFile]]
) -> set[int]:
    """Land files again with their fields that have no column; return those that do not parse."""
    again: set[int] = set()
    for keys, some in alike.items():
        numbers = [each.file_id for each in some if each.file_id is not None]
        if not engine.parses:
            again.update(numbers)
            continue
        unland(engine, numbers)
        again |= _land_together(engine, kind, some, flat=False, others=keys)
    return again


def _survey(
    engine: Engine, kind: RecordKind, copies: Sequence[tuple[Path, PlannedFile]], again: set[int]
) -> dict[int, Counter[str]]:
    """Return the fields of files that have no column, with their occurrences; add doubts to ``again``."""
    numbers = {str(path): file.file_id for path, file in copies}
    counts: dict[int, Counter[str]] = {number: Counter() for number in numbers.values()}
    known = engine.keys_read(kind)
    for path, key, count in engine.survey(kind, [path for path, _ in copies]):
        if key is None:
            again.add(numbers[path])
        elif key not in known:
            counts[numbers[path]][key] = count
    return {number: found for number, found in counts.items() if number not in again}


def _verify(file: PlannedFile, landing: Landing) -> None:
    """Note in ``landing`` if a file in its place is not what was listed."""
    try:
        file.source.store.verify(file.item)
    except SourceError as exc:
        landing.note_unread(file, exc)
