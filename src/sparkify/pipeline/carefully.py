"""Files that need re-reading: record by record, by our own rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sparkify.errors import LoadError, SourceError
from sparkify.intake.reader import read_carefully
from sparkify.lake.store import read_each
from sparkify.pipeline.landing import CarefulReading, Landing, unland
from sparkify.pipeline.plan import PlannedFile
from sparkify.records import FILE_KEY, RecordKind
from sparkify.warehouse.engine import Engine, RecordFile

# Accepted records are landed together, about so many bytes at once.
_ACCEPTED_BYTES = 512 * 1024 * 1024


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
    unland(engine, [file.file_id for file in files])
    path = folder / "accepted.json"
    with _naming(files):
        out = path.open("wb")
        try:
            for file, data in _contents(kind, files):
                if isinstance(data, SourceError):
                    landing.note_unread(file, data)
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


def _contents(
    kind: RecordKind, files: Sequence[PlannedFile]
) -> Iterator[tuple[PlannedFile, bytes | SourceError]]:
    """Yield each file with its contents, or why it cannot be read: many at once where they are tiny."""
    if kind.packed:
        contents = read_each(files[0].source.store, [file.item for file in files])
        yield from ((file, data) for file, (_, data) in zip(files, contents, strict=True))
        return
    for file in files:
        try:
            yield file, file.source.store.read(file.item)
        except SourceError as exc:
            yield file, exc


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
