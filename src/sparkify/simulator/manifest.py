"""The list of a simulation's files, which lies beside them: what `--force` may remove, and nothing else is.

It is written before the first of them, so that a simulation that was cut off can be replaced too, and so it
may name files that were never written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sparkify.errors import SourceError
from sparkify.lake.writer import Writer
from sparkify.simulator.dirt import Soiler, beside_log
from sparkify.simulator.world import World
from sparkify.text import counted

MANIFEST = "simulation-files.txt"
TRUTH = "truth.json"
_HEAD = "# The files of a simulation. sparkify simulate --force removes these and no others."
_SHOWN = 3


def make_room(writer: Writer, world: World, *, force: bool) -> None:
    """Make sure nothing is mixed with a simulation; with ``force`` remove an earlier one.

    Files of others outside of ``log_data`` and ``song_data`` stay where they are.

    Raises:
        SourceError: Something is there and ``force`` is not given, or it is in the way and not known to be of
            a simulation. Then nothing was removed.
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
    # A catalogue that is played stays, whoever made it.
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
    writer.put(MANIFEST, _text(wanted | (earlier - set(ours))))


def _keys(world: World) -> Iterator[str]:
    """Yield the key of every file a simulation may write."""
    plan = world.plan
    yield from (key for key, _ in world.records)
    for day in range(plan.days):
        yield plan.log_key(day)
        if plan.dirty:
            yield from beside_log(plan.log_key(day))
    if plan.dirty:
        yield TRUTH
        # By chance, which is the same whenever it is asked.
        yield from (key for key, _ in Soiler(plan.parameters.dirt, plan.days, plan.seed).songs(world.records))


def _read(writer: Writer) -> set[str]:
    """Return the keys that are listed, and the list itself; none where it is no list of ours."""
    head, *keys = writer.get(MANIFEST).decode(errors="replace").splitlines() or [""]
    return {*keys, MANIFEST} if head == _HEAD else set()


def _text(keys: Iterable[str]) -> bytes:
    lines: Sequence[str] = (_HEAD, *sorted(keys))
    return "".join(f"{line}\n" for line in lines).encode()
