"""Tiny files, thousands of them: read side by side, packed into few, and parsed strictly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sparkify.errors import LoadError, SourceError
from sparkify.intake.content import content_of
from sparkify.intake.pack import as_keys, pack
from sparkify.lake.store import read_each
from sparkify.pipeline.landing import Landing, count_landed
from sparkify.pipeline.plan import PlannedFile, in_groups
from sparkify.pipeline.progress import ShowProgress
from sparkify.pipeline.strictly import FirstReading
from sparkify.records import RecordKind
from sparkify.warehouse.engine import Engine, RecordFile

_PACK_BYTES = 64 * 1024 * 1024


def land_packed(
    engine: Engine,
    kind: RecordKind,
    files: Sequence[PlannedFile],
    folder: Path,
    progress: ShowProgress,
    landing: Landing,
) -> FirstReading:
    """Land the files that hold one flat record each; the others need re-reading.

    Files that cannot be read, or changed meanwhile, go to ``landing``.

    Raises:
        SourceError: The store cannot be read.
    """
    keys = as_keys(sorted(engine.keys_read(kind)))
    again: set[int] = set()
    hashes: dict[int, str | None] = {}
    path = folder / f"{kind.name}.json"
    for chunk in in_groups(files, _PACK_BYTES):
        numbers = []
        with path.open("wb") as out:
            contents = read_each(chunk[0].source.store, [file.item for file in chunk])
            for file, (item, data) in zip(chunk, contents, strict=True):
                if isinstance(data, SourceError):
                    landing.note_unread(file, data)
                    progress(files=1, size=item.size)
                    continue
                line = pack(data, file.file_id, keys)
                if line is None:
                    again.add(file.file_id)
                else:
                    numbers.append(file.file_id)
                    hashes[file.file_id] = content_of(data)
                    out.write(line)
                progress(files=1, rows=1, size=item.size)
        try:
            engine.land(kind, [RecordFile(path)])
        except LoadError:
            again.update(numbers)
    counts = count_landed(engine, kind)
    again.update(number for number, each in counts.items() if each.needs_rereading)
    # One record a file, unless it is read again.
    return FirstReading(dict.fromkeys((file.file_id for file in files), 1), counts, again, hashes)
