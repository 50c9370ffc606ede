"""The list of a simulation's files, stored beside them: `--force` removes these files and no others.

It is written before the first file, so that an interrupted simulation can be replaced too. So it may name
files that were never written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sparkify.errors import SourceError
from sparkify.lake.writer import Writer
from sparkify.simulator.dirt import Soiler, beside_log
from sparkify.simulator.world import TRUTH, World
from sparkify.text import counted

MANIFEST = "simulation-files.txt"
_HEAD = "# The files of a simulation. sparkify simulate --force removes these and no others."
_SHOWN = 3


def make_room(writer: Writer, world: World, *, force: bool) -> None:
    """Raise unless the target is empty; with ``force``, remove an earlier simulation first.

    Other files outside of ``log_data`` and ``song_data`` are kept.

    Raises:
        SourceError: The target has files and ``force`` is not given, or files that are not listed as those of
            a simulation. Nothing was removed.
    """
    found = set(writer.keys())
    if found - {MANIFEST} and not force:
        raise SourceError(
            f"{writer.uri} is not empty: it holds {counted(len(found), 'file')}.",
            "Name another place, or say --force to replace an earlier simulation there.",
            uri=writer.uri,
        )
    listed = _read(writer) if MANIFEST in found else set()
    earlier = (found & listed) - {MANIFEST}
    # The played catalogue is kept, also if a simulation wrote it.
    folders = ("log_data/",) if world.plan.song_data else ("log_data/", "song_data/")
    ours = sorted(key for key in earlier if key.startswith(folders) or key == TRUTH)
    wanted = set(_keys(world))
    taken = wanted | {TRUTH, MANIFEST}  # an old truth.json would not be that of the new files
    foreign = sorted(key for key in found - listed if key.startswith(folders) or key in taken)
    if foreign:
        raise SourceError(
            f"{writer.uri} holds {counted(len(foreign), 'file')} that {MANIFEST} there does not list as part "
            f"of a simulation: {', '.join(foreign[:_SHOWN])}{' …' * (len(foreign) > _SHOWN)}.",
            "Nothing was removed. Name another place, or move these files away. A simulation without that "
            "list, made before there was one, you have to remove yourself.",
            uri=writer.uri,
        )
    writer.remove(ours)
    # Songs of an earlier simulation that are being played are still of a simulation.
    writer.put(MANIFEST, _manifest_text(wanted | (earlier - set(ours))))


def _keys(world: World) -> Iterator[str]:
    """Yield the key of every file a simulation may write."""
    plan = world.plan
    yield from (key for key, _ in world.records)
    for day in range(plan.days):
        yield plan.log_key(day)
        if plan.dirty:
            yield from beside_log(plan.log_key(day))
    if plan.dirty or plan.churn:
        yield TRUTH
    if plan.dirty:
        # The random choice gives the same keys every time.
        yield from (key for key, _ in Soiler(plan.parameters.dirt, plan.days, plan.seed).songs(world.records))


def _read(writer: Writer) -> set[str]:
    """Return the listed keys and the key of the list itself; empty if the file is not our list."""
    head, *keys = writer.get(MANIFEST).decode(errors="replace").splitlines() or [""]
    return {*keys, MANIFEST} if head == _HEAD else set()


def _manifest_text(keys: Iterable[str]) -> bytes:
    lines: Sequence[str] = (_HEAD, *sorted(keys))
    return "".join(f"{line}\n" for line in lines).encode()
