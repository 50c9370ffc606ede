"""Files to the local disk, and the marks in their bytes: both while the engine does something else.

Counting marks takes the interpreter's time and parsing the engine's, so the two go on side by side. How to
parse a file is guessed from its first lines meanwhile; whether the guess was right, its marks tell. Of a file
that seems to have no line breaks a copy is made that has them (:mod:`sparkify.intake.joints`).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from sparkify.errors import EngineError, SourceError
from sparkify.intake.glance import looks_flat
from sparkify.intake.joints import Separated, looks_joined, separate
from sparkify.intake.marks import Marks, count_marks
from sparkify.pipeline.landing import Landing
from sparkify.pipeline.plan import PlannedFile
from sparkify.records import Field, RecordKind
from sparkify.warehouse.engine import RecordFile

_FETCHERS = 16
# The engine parses on all processors meanwhile; on two, a second thread only takes the first one's caches.
_COUNTERS = max(1, (os.cpu_count() or 1) // 2)
KeysRead = Callable[[RecordKind], frozenset[str]]


class _Place(NamedTuple):
    """Where a file lies on the disk, whether it looks flat, and how a copy with line breaks was made."""

    path: Path
    flat: bool | None
    separated: Separated | None


# A file, its place, and its marks.
_Begun = tuple[PlannedFile, Future[_Place], Future[Marks]]


class FetchedFile(NamedTuple):
    """A file on the local disk.

    Attributes:
        file: The file.
        path: Its place; in the temporary folder where it is a copy.
        flat: Whether it seems to be what :attr:`Marks.flat` says.
        separated: Whether it is a copy into which line breaks were put.
        much: As for :func:`count_marks`.
    """

    file: PlannedFile
    path: Path
    flat: bool
    separated: bool
    much: bool
    counted: Future[Marks]

    @property
    def marks(self) -> Marks:
        """The marks in its bytes; waits for them."""
        return self.counted.result()

    @property
    def records(self) -> RecordFile:
        """The file as engines know it."""
        return RecordFile(self.path, self.file.file_id, self.file.item.uri, size=self.file.item.size)


class FetchedChunk(NamedTuple):
    """Files of one kind that are landed together; those that cannot be read are left out."""

    kind: RecordKind
    files: list[FetchedFile]


@contextmanager
def blaming_the_lake(files: Iterable[PlannedFile]) -> Iterator[None]:
    """Explain a failure by the lake where a file is no longer there, or no longer the one that was listed.

    Raises:
        SourceError: One is.
    """
    try:
        yield
    except (OSError, EngineError):
        for file in files:
            file.source.store.verify(file.item)
        raise


@contextmanager
def fetching(
    chunks: Iterable[list[PlannedFile]],
    folder: Path,
    landing: Landing,
    keys_read: KeysRead | None,
    *,
    much: bool,
    in_lines: bool,
) -> Iterator[Iterator[FetchedChunk]]:
    """Fetch the first chunk from now on, and always the one after what is being worked on; count them, too.

    Counting begins when the first chunk is asked for. Until then the engine is given short statements, each
    of which would wait for the interpreter: a load of a million events took 1.03 x the time.

    Args:
        chunks: The files, in groups.
        folder: Where copies are put; whoever is done with one removes it.
        landing: Told which files cannot be read; they are left out.
        keys_read: :meth:`sparkify.warehouse.engine.Engine.keys_read` of an engine that is told which files
            are flat; None: what any other makes of a file is compared with all of its marks.
        much: As for :func:`count_marks`.
        in_lines: Whether files that seem to have no line breaks are given them.

    Yields:
        The chunks, one after the other.

    Raises:
        SourceError: From the chunks: the store cannot be read.
    """
    rest = iter(chunks)
    with (
        ThreadPoolExecutor(_FETCHERS, thread_name_prefix="sparkify-fetch") as fetchers,
        ThreadPoolExecutor(_COUNTERS, thread_name_prefix="sparkify-count") as counters,
    ):

        def fetch_next() -> list[list[tuple[PlannedFile, Future[_Place]]]]:
            return [[(file, fetchers.submit(fetch, file)) for file in chunk] for chunk in islice(rest, 1)]

        def fetch(file: PlannedFile) -> _Place:
            path = file.source.store.local_path(file.item, folder)
            separated = None
            with blaming_the_lake([file]):
                if in_lines and looks_joined(path):
                    copy, separated = separate_file(file, path, folder)
                    if separated:
                        remove_copy(path, folder)
                        path = copy
                return _Place(
                    path, looks_flat(path, flat_fields(file, keys_read)) if much else False, separated
                )

        def count_all(chunk: Iterable[tuple[PlannedFile, Future[_Place]]]) -> list[_Begun]:
            return [(file, place, counters.submit(count, file, place)) for file, place in chunk]

        def count(file: PlannedFile, place: Future[_Place]) -> Marks:
            path, _, separated = place.result()
            with blaming_the_lake([file]):
                return count_file(file, path, separated, keys_read, much=much)

        def settle_all() -> Iterator[FetchedChunk]:
            begun = deque(map(count_all, first))
            while begun:
                chunk = begun.popleft()
                begun.extend(map(count_all, fetch_next()))
                yield FetchedChunk(chunk[0][0].source.kind, list(_settle(chunk, landing, much=much)))

        try:
            first = fetch_next()
            yield settle_all()
        finally:
            for pool in (counters, fetchers):
                pool.shutdown(wait=False, cancel_futures=True)


def _settle(chunk: Iterable[_Begun], landing: Landing, *, much: bool) -> Iterator[FetchedFile]:
    """Wait until files lie on the local disk; yield those that do."""
    for file, place, counted in chunk:
        try:
            path, guess, separated = place.result()
            flat = counted.result().flat if guess is None else guess
            yield FetchedFile(file, path, flat, separated is not None, much, counted)
        except SourceError as exc:
            landing.note_unread(file, exc)


def separate_file(file: PlannedFile, path: Path, folder: Path) -> tuple[Path, Separated | None]:
    """Put line breaks between the objects of a file: return its copy in the folder, and what that is made of.

    Raises:
        SourceError: The file is no longer what was listed.
    """
    copy = folder / f"{file.file_id}.separated.json"
    try:
        separated = separate(path, copy)
        if path.parent != folder:
            file.source.store.verify(file.item)
    except BaseException:
        copy.unlink(missing_ok=True)
        raise
    return copy, separated


def count_file(
    file: PlannedFile, path: Path, separated: Separated | None, keys_read: KeysRead | None, *, much: bool
) -> Marks:
    """Return the marks of a file; a copy with line breaks has the content of what it was made of."""
    keys = [each.key for each in file.source.kind.fields if not each.path]
    marks = count_marks(path, much=much, keys=keys, flat=flat_fields(file, keys_read))
    return replace(marks, content=separated.content) if separated else marks


def flat_fields(file: PlannedFile, keys_read: KeysRead | None) -> list[Field]:
    """Return the fields of a file that the engine reads as columns; none: it is not told what is flat."""
    kind = file.source.kind
    keys = keys_read(kind) if keys_read else ()
    return [each for each in kind.fields if not each.path and each.key in keys]


def remove_copy(path: Path, folder: Path) -> None:
    """Remove a file if it is a copy in the folder."""
    if path.parent == folder:
        path.unlink()


@contextmanager
def fetch_copies(
    files: Sequence[PlannedFile], folder: Path, landing: Landing, separated: Container[int]
) -> Iterator[list[tuple[Path, PlannedFile]]]:
    """Yield where files lie on the local disk; copies in the folder are removed at the end.

    Those that cannot be read go to ``landing``; into those whose numbers are in ``separated`` line breaks are
    put.
    """

    def fetch(file: PlannedFile) -> Path | None:
        try:
            path = file.source.store.local_path(file.item, folder)
            if file.file_id not in separated:
                return path
            with blaming_the_lake([file]):
                copy, _ = separate_file(file, path, folder)
            remove_copy(path, folder)
        except SourceError as exc:
            landing.note_unread(file, exc)
            return None
        return copy

    with ThreadPoolExecutor(_FETCHERS, thread_name_prefix="sparkify-fetch") as fetchers:
        places = list(fetchers.map(fetch, files))
    copies = [(path, file) for path, file in zip(places, files, strict=True) if path]
    yield copies
    for path, _ in copies:
        remove_copy(path, folder)
