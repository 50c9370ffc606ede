"""Files into the run's temporary tables: fast where they are as they should be, carefully where not.

The fast path gives whole files to the engine's strict parser and compares its word with the marks in the raw
bytes (:mod:`sparkify.pipeline.strictly`, :mod:`sparkify.pipeline.packed`). A file that fails, holds a row
that may break a rule, or has lines or commas the parser ignored is read again, record by record
(:mod:`sparkify.pipeline.carefully`); its bad records are rejects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from sparkify.pipeline.fetch import fetching
from sparkify.pipeline.landing import (
    ANALYZED_ROWS,
    CarefulReading,
    LandedCounts,
    LandedFile,
    Landing,
    count_landed,
    unland,
    why_unread,
)
from sparkify.pipeline.packed import land_packed
from sparkify.pipeline.plan import PlannedFile, in_groups
from sparkify.pipeline.progress import ShowProgress
from sparkify.pipeline.strictly import land_strictly
from sparkify.records import KINDS, RecordKind
from sparkify.text import counted
from sparkify.warehouse.engine import Engine

# One statement parses about this much, so that progress shows; at 64 MiB a load takes 1.2 x the time.
CHUNK_BYTES = 512 * 1024 * 1024
_MUCH_BYTES = 16 * 1024 * 1024


def land(
    engine: Engine,
    files: Sequence[PlannedFile],
    folder: Path,
    progress: ShowProgress,
    kinds: Sequence[RecordKind] = KINDS,
) -> Landing:
    """Read, parse and land every file of a batch in the run's own tables; the warehouse is not touched.

    Large files are fetched and counted from the start, while tables are made and packed ones land.

    Args:
        engine: The warehouse.
        files: The files.
        folder: A temporary folder.
        progress: Told what is done.
        kinds: What the records are made of in this warehouse; those of the files are among them.

    Raises:
        SourceError: The store cannot be read.
    """
    landing = Landing(kinds)
    chosen = {kind: [file for file in files if file.source.kind == kind] for kind in kinds}
    large = [chosen[kind] for kind in kinds if not kind.packed]
    chunks = (chunk for some in large for chunk in in_groups(some, CHUNK_BYTES))
    much = sum(file.item.size for some in large for file in some) > _MUCH_BYTES
    keys_read = engine.keys_read if engine.parses else None
    with fetching(chunks, folder, landing, keys_read, much=much, in_lines=not engine.reads_lake) as fetched:
        engine.prepare(kinds)
        fetched_kinds = groupby(fetched, key=attrgetter("kind"))
        for kind in kinds:
            mine = chosen[kind]
            if not mine:
                continue
            progress(label=f"reading {kind.name}")
            if kind.packed:
                first = land_packed(engine, kind, mine, folder, progress, landing)
            else:
                _, my_chunks = next(fetched_kinds)
                first = land_strictly(
                    engine, kind, (each.files for each in my_chunks), folder, progress, landing
                )
            if first.again:
                progress(label=f"reading {counted(len(first.again), 'file')} again, record by record")
            careful = _read_again(
                engine, kind, [file for file in mine if file.file_id in first.again], folder, landing
            )
            unread = [file.file_id for file in mine if file.file_id in landing.unread]
            unland(engine, unread)
            counts = count_landed(engine, kind) if first.again or unread else first.counts
            for file in mine:
                number = file.file_id
                if number in landing.unread:
                    why = why_unread(landing.unread[number])
                    landing.aside.append(LandedFile(file, 0, 0, set_aside=why))
                    continue
                read = careful.read.get(number, first.read.get(number, 0))
                count = counts.get(number, LandedCounts())
                content = (careful if number in careful.contents else first).contents.get(number)
                landing.files.append(careful.landed(file, read, count, content))
    landed = Counter[RecordKind]()
    for each in landing.files:
        landed[each.file.source.kind] += each.landed
    filled = [kind.landing for kind in kinds if landed[kind] >= ANALYZED_ROWS]
    if filled:
        engine.analyze(filled)
    return landing


def _read_again(
    engine: Engine, kind: RecordKind, files: Sequence[PlannedFile], folder: Path, landing: Landing
) -> CarefulReading:
    if not files:
        return CarefulReading()
    # Not needed most days.
    from sparkify.pipeline.carefully import read_again

    return read_again(engine, kind, files, folder, landing)
