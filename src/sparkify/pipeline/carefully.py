"""Files that need re-reading: record by record, by our own rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sparkify.errors import LoadError, SourceError
from sparkify.intake.reader import Reject, read_carefully
from sparkify.pipeline.landing import LandedCounts, LandedFile, Landing
from sparkify.pipeline.plan import PlannedFile
from sparkify.records import FILE_KEY, RecordKind
from sparkify.warehouse.derived import shared_statements
from sparkify.warehouse.engine import Engine, RecordFile
from sparkify.warehouse.statements import statement

# Accepted records are landed together, about so many bytes at once.
_ACCEPTED_BYTES = 512 * 1024 * 1024


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


def read_again(
    engine: Engine, kind: RecordKind, files: Sequence[PlannedFile], folder: Path, landing: Landing
) -> CarefulReading:
    """Remove what has landed of files, read each carefully, and land what our rules accept.

    Unknown fields, and files that cannot be read or changed meanwhile, go to ``landing``.

    Raises:
        SourceError: The store cannot be read.
        LoadError: The engine cannot load what our rules accept.
    """
    careful = CarefulReading()
    if not files:
        return careful
    unland(engine, [file.file_id for file in files])
    path = folder / "accepted.json"
    with _naming(files):
        out = path.open("wb")
        try:
            for file in files:
                try:
                    data = file.source.store.read(file.item)
                except SourceError as exc:
                    landing.note_unread(file, exc)
                    continue
                reading = read_carefully(data, kind)
                landing.note_unknown(file, reading.unknown)
                careful.read[file.file_id] = reading.records
                careful.rejects[file.file_id] = reading.rejects
                careful.weights[file.file_id] = reading.weight
                careful.contents[file.file_id] = reading.content
                number = b'{"%s": %d, ' % (FILE_KEY.encode(), file.file_id)
                out.writelines(number + line[1:] for line in reading.lines)
                if out.tell() > _ACCEPTED_BYTES:
                    out.close()
                    engine.land(kind, [RecordFile(path, accepted=True)])
                    out = path.open("wb")
            left = out.tell()
        finally:
            out.close()
        if left:
            engine.land(kind, [RecordFile(path, accepted=True)])
    path.unlink()
    return careful


def unland(engine: Engine, numbers: Sequence[int]) -> None:
    """Remove the rows of files from the tables in which they landed."""
    if not numbers:
        return
    engine.insert("run_files", ["file_id"], [(number,) for number in numbers])
    for step in shared_statements().unland:
        engine.execute(step)
    engine.execute(statement("run/no_files.sql"))


@contextmanager
def _naming(files: Sequence[PlannedFile]) -> Iterator[None]:
    """Replace a file's number by its URI in errors raised inside the block."""
    try:
        yield
    except LoadError as exc:
        named = next((file.item.uri for file in files if str(file.file_id) == exc.uri), None)
        if named is None:
            raise
        raise LoadError(f"{named}: {exc.message}", exc.hint, uri=named, line=exc.line) from exc
