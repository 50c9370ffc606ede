"""Files that need re-reading: record by record, by our own rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sparkify.errors import LoadError
from sparkify.intake.reader import Reject, read_carefully
from sparkify.pipeline.landing import Landing
from sparkify.pipeline.plan import PlannedFile
from sparkify.records import FILE_KEY, RecordKind
from sparkify.warehouse.derived import shared_statements
from sparkify.warehouse.engine import Engine, RecordFile
from sparkify.warehouse.statements import statement

# Accepted records are landed together, about so many bytes at once.
_ACCEPTED_BYTES = 512 * 1024 * 1024


@dataclass(slots=True)
class CarefulReading:
    """What the careful reader made of files, by their numbers: how many records each has, and its rejects."""

    read: dict[int, int] = field(default_factory=dict)
    rejects: dict[int, Sequence[Reject]] = field(default_factory=dict)


def read_again(
    engine: Engine, kind: RecordKind, files: Sequence[PlannedFile], folder: Path, landing: Landing
) -> CarefulReading:
    """Remove what has landed of files, read each carefully, and land what our rules accept.

    Unknown fields go to ``landing``.

    Raises:
        SourceError: A file cannot be read, or changed meanwhile.
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
                reading = read_carefully(file.source.store.read(file.item), kind)
                landing.note_unknown(file, reading.unknown)
                careful.read[file.file_id] = reading.records
                careful.rejects[file.file_id] = reading.rejects
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
