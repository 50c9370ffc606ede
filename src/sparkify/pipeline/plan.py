"""What a run would do: the files of the lake compared with the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from sparkify.custom.building import GONE, ModelChange, find_changes
from sparkify.custom.definitions import NO_MODELS, Models
from sparkify.errors import Command, ConfigError, Hint
from sparkify.lake.store import LakeObject, Listing, Store, verify_data
from sparkify.lake.stores import open_store
from sparkify.records import KINDS, RecordKind
from sparkify.settings import Settings
from sparkify.warehouse.ledger import REJECTS, Ledger, LedgerFile
from sparkify.warehouse.version import NO_UPGRADE, Upgrade, find_upgrade

# Logs take about eight times the space when they are not compressed: an estimate is enough to group them.
_COMPRESSED, _EXPANDS = (".gz", ".zst"), 8


class Source(NamedTuple):
    """One kind of files and where they are; ``listing`` is what was there when the run began."""

    kind: RecordKind
    store: Store
    listing: Listing


class PlannedFile(NamedTuple):
    """A file to load.

    Attributes:
        source: Where it is.
        item: What was listed.
        file_id: Its number.
        replaces: Whether the ledger knows an earlier version, which goes first.
        is_loaded: Whether rows of an earlier version are in staging.
        told: Why this file was set aside before, if it was (:mod:`sparkify.pipeline.set_aside`).
        rejected_before: How many of its records are known to be rejected; 0 for a changed file.
    """

    source: Source
    item: LakeObject
    file_id: int
    replaces: bool
    is_loaded: bool = False
    told: str = ""
    rejected_before: int = 0


class Batch(NamedTuple):
    """The files that one transaction takes in.

    Attributes:
        files: The files.
        last: Whether none follows.
        only: Whether there is no other.
        new_rules: Whether everything that today's rules may read in another way is read again with it.
        full_refresh: Whether the star is computed whole after it.
        takes_over: Whether copies take the place of files that are gone with it.
        only_models: Whether nothing but models of the user's is to be made or dropped.
    """

    files: list[PlannedFile]
    last: bool = True
    only: bool = True
    new_rules: bool = True
    full_refresh: bool = False
    takes_over: bool = False
    only_models: bool = False

    @property
    def always(self) -> bool:
        """Whether there is something to do though none of its files can be loaded."""
        return self.full_refresh or self.takes_over or not self.files


@dataclass(frozen=True, slots=True)
class Plan:
    """The files to load, oldest first and songs before events, and what stays as it is.

    Attributes:
        latest_run: The run the plan was made after; another one since makes it void.
        files: New and changed files.
        unchanged: How many files the warehouse has already, copies included.
        retracted: URIs in the lake that were retracted, and stay out until they change.
        set_aside: URIs that were set aside, and stay out until they change, are replayed or accepted.
        gone: URIs in the ledger that are not in the lake any more; their rows stay.
        taken_over: Files that are gone and of which there is a copy, and the URI of the copy: it takes their
            rows over.
        ignored: Keys that are not data (:func:`sparkify.lake.store.is_data`).
        upgrade: What makes the warehouse one of today; nothing, most days.
        reread: URIs of loaded files that are read again although they did not change.
        keeps_rules: Files that hold rejects cannot be read again, since nobody said where their kind is: then
            the warehouse stays one of older rules.
        known: The files of the ledger.
        elsewhere: Kinds of which the ledger has files that the lake does not list: new ones may be those.
        models: What becomes of each of the user's own models.
        kinds: What the records are made of in this warehouse.
    """

    latest_run: int
    files: list[PlannedFile]
    unchanged: int
    retracted: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    taken_over: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    upgrade: Upgrade = NO_UPGRADE
    reread: frozenset[str] = frozenset()
    keeps_rules: bool = False
    known: Sequence[LedgerFile] = ()
    elsewhere: frozenset[str] = frozenset()
    models: Sequence[ModelChange] = ()
    kinds: tuple[RecordKind, ...] = KINDS

    @property
    def new_models(self) -> bool:
        """Whether a model of the user's is to be made or dropped, whatever files there are."""
        return any(each.is_news for each in self.models)

    @property
    def models_kept(self) -> list[str]:
        """The models in the warehouse that have no file any more, and stay as they are."""
        return [each.model for each in self.models if each.state == GONE and not each.is_news]

    @property
    def read_again(self) -> int:
        """How many files are read again although they did not change."""
        return sum(file.item.uri in self.reread for file in self.files)

    @property
    def size(self) -> int:
        """Bytes to read, as stored."""
        return sum(file.item.size for file in self.files)

    def change_of(self, file: PlannedFile) -> str:
        """Return in a word or three what one of the files is: what is new here may have lain elsewhere."""
        if file.replaces:
            return "changed"
        return "new or moved" if file.source.kind.name in self.elsewhere else "new"

    def batches(self, first_bytes: int, later_bytes: int, *, full_refresh: bool) -> list[Batch]:
        """Return the files in batches of about so many bytes, each to be loaded in a transaction of its own.

        There is an empty one where no file is new and the star, or the warehouse's version, still is to
        change.
        """
        groups = list(in_groups(self.files, later_bytes, first_bytes))
        others = bool(
            full_refresh
            or self.taken_over
            or self.upgrade.models
            or (self.upgrade.rules and not self.keeps_rules)
        )
        if not groups and (others or self.new_models):
            groups = [[]]

        def batch(files: list[PlannedFile], *, last: bool) -> Batch:
            return Batch(
                files,
                last,
                only=len(groups) == 1,
                new_rules=last and not self.keeps_rules,
                full_refresh=full_refresh and last,
                takes_over=bool(self.taken_over),
                only_models=not (self.files or others),
            )

        return [batch(group, last=number == len(groups)) for number, group in enumerate(groups, 1)]


def in_groups(
    files: Sequence[PlannedFile], most_bytes: int, first_bytes: int | None = None
) -> Iterator[list[PlannedFile]]:
    """Yield files in groups of about ``most_bytes`` of plain text, at least one file each.

    Args:
        files: The files.
        most_bytes: Of a group.
        first_bytes: Of the first one, if it is another number.
    """
    group: list[PlannedFile] = []
    size, most = 0, most_bytes if first_bytes is None else first_bytes
    for file in files:
        more = file.item.size * (_EXPANDS if file.item.key.endswith(_COMPRESSED) else 1)
        if group and size + more > most:
            yield group
            group, size, most = [], 0, most_bytes
        group.append(file)
        size += more
    if group:
        yield group


def open_sources(settings: Settings) -> list[Source]:
    """List every configured source.

    Raises:
        ConfigError: Neither LOG_DATA nor SONG_DATA is set, or one lies within the other.
        SourceError: A folder or bucket is missing, empty or closed to us.
    """
    sources = []
    for kind in KINDS:
        uri = settings.s3.place_of(kind)
        if uri:
            store = open_store(uri, settings.aws)
            listing = store.listing()
            verify_data(listing, store.uri)
            sources.append(Source(kind, store, listing))
    verify_roots([(source.kind, source.store.uri) for source in sources])
    return sources


def verify_roots(places: Sequence[tuple[RecordKind, str]]) -> None:
    """Raise unless the places of the sources can be loaded together.

    Raises:
        ConfigError: There is none, or one lies within another.
    """
    if not places:
        raise ConfigError(
            f"there is nothing to load: none of {', '.join(kind.setting for kind in KINDS)} is set.",
            Hint("Set them in dwh.cfg ({} writes one), or give --log-data and --song-data.", Command("init")),
        )
    # Sorted, a root that lies within another follows it.
    roots = sorted(((uri.rstrip("/") + "/", kind) for kind, uri in places), key=itemgetter(0))
    for (outer, one), (inner, other) in pairwise(roots):
        if inner.startswith(outer):
            raise ConfigError(
                f"{one.name} and {other.name} lie in one place: {inner.rstrip('/')} would be read as both.",
                f"Give each a folder or prefix of its own with {one.setting} and {other.setting}.",
            )


def make_plan(
    sources: Sequence[Source],
    ledger: Ledger,
    reload: frozenset[str] = frozenset(),
    accepts: Callable[[str], bool] = lambda _uri: False,
    models: Models = NO_MODELS,
    drop: Collection[str] = (),
    *,
    full_refresh: bool = False,
) -> Plan:
    """Compare the listings with the ledger.

    A file is known by its kind and URI, its version by its size and its ETag or time of last change. Those in
    ``reload`` are read again although they did not change, and so are those that hold rejects, or may hold
    values that were not kept, if the rules have changed, and copies of which nothing stands in the warehouse
    any more. ``models`` are the user's; those in ``drop`` go if their file is gone.
    """
    kinds = {kind.name: kind for kind in ledger.kinds}
    sources = [source._replace(kind=kinds[source.kind.name]) for source in sources]
    upgrade = find_upgrade(ledger.meta)
    keeps_rules = False
    if upgrade.rules:
        rejects = [
            file
            for file in ledger.files
            if file.state in ("loaded", "set_aside")
            and (file.rows_rejected or (file.run_id, file.kind) in ledger.lost_fields)
        ]
        reload |= {file.uri for file in rejects}
        keeps_rules = not {file.kind for file in rejects} <= {source.kind.name for source in sources}
    reload |= {file.uri for file in ledger.files if file.state == "set_aside" and accepts(file.uri)}
    known: dict[str, dict[str, LedgerFile]] = {source.kind.name: {} for source in sources}
    for file in ledger.files:
        known.setdefault(file.kind, {})[file.uri] = file
    # Most days there is no copy, and no new file.
    has_copies = any(file.state == "copy" for file in ledger.files)
    owned = {(file.kind, file.content) for file in ledger.files if has_copies and file.state != "copy"}
    taken: set[int] = set()
    files: list[PlannedFile] = []
    retracted: list[str] = []
    set_aside: list[str] = []
    unchanged = 0
    for source in sources:
        mine = known[source.kind.name]
        for item in source.listing.objects:
            loaded = mine.pop(item.uri, None)
            if loaded is None:
                taken = taken or {file.file_id for file in ledger.files}
                number = choose_file_id(source, item, taken)
                taken.add(number)
                files.append(PlannedFile(source, item, number, replaces=False))
            elif (
                not loaded.is_version(item.size, item.version)
                or item.uri in reload
                or (loaded.state == "copy" and (loaded.kind, loaded.content) not in owned)
                # It may be possible to read it now.
                or (loaded.state == "set_aside" and loaded.reason != REJECTS)
            ):
                files.append(_known(source, item, loaded))
            elif loaded.state == "set_aside":
                set_aside.append(item.uri)
            elif loaded.state == "retracted":
                retracted.append(item.uri)
            else:
                unchanged += 1
    missing = [file for rest in known.values() for file in rest.values()]
    taken_over = _taken_over(sources, ledger.files, missing) if has_copies else []
    moved = {uri for uri, _ in taken_over}
    return Plan(
        latest_run=ledger.latest_run,
        files=files,
        unchanged=unchanged,
        retracted=retracted,
        set_aside=set_aside,
        gone=[uri for uri in _gone(sources, missing) if uri not in moved],
        taken_over=taken_over,
        ignored=[key for source in sources for key in source.listing.ignored],
        upgrade=upgrade,
        reread=reload,
        keeps_rules=keeps_rules,
        known=ledger.files,
        elsewhere=frozenset(file.kind for file in missing if file.state != "copy"),
        models=find_changes(
            models,
            # An upgrade of the tables has them all made again.
            [each._replace(digest="") for each in ledger.models] if upgrade.definitions else ledger.models,
            everything=full_refresh or bool(upgrade.models),
            drop=drop,
        ),
        kinds=ledger.kinds,
    )


def listed_objects(sources: Iterable[Source], kind: str) -> dict[str, LakeObject]:
    """Return what is listed of a kind, by URI."""
    return {
        item.uri: item for source in sources if source.kind.name == kind for item in source.listing.objects
    }


def _taken_over(
    sources: Sequence[Source], files: Sequence[LedgerFile], missing: Sequence[LedgerFile]
) -> list[tuple[str, str]]:
    """Return the files that are not listed any more while copies are, each with the first of these."""
    listed = {source.kind.name: listed_objects(sources, source.kind.name) for source in sources}
    copies: dict[tuple[str, str | None], list[str]] = {}
    for file in files:
        item = listed.get(file.kind, {}).get(file.uri) if file.state == "copy" else None
        if item and file.is_version(item.size, item.version):
            copies.setdefault((file.kind, file.content), []).append(file.uri)
    lost = {
        file.uri: (file.kind, file.content)
        for file in missing
        if file.state != "copy" and (file.kind, file.content) in copies
    }
    stay = {
        (file.kind, file.content)
        for file in files
        if file.state != "copy" and file.uri in listed.get(file.kind, ())
    }
    return sorted((uri, min(copies[content])) for uri, content in lost.items() if content not in stay)


def _known(source: Source, item: LakeObject, file: LedgerFile) -> PlannedFile:
    unchanged = file.is_version(item.size, item.version)
    return PlannedFile(
        source,
        item,
        file.file_id,
        replaces=True,
        is_loaded=file.state == "loaded",
        told=file.reason or "",
        rejected_before=file.rows_rejected if file.state == "loaded" and unchanged else 0,
    )


def _gone(sources: Sequence[Source], missing: Sequence[LedgerFile]) -> list[str]:
    """Return the URIs of loaded files below the sources' roots that the sources do not list any more."""
    roots = [(source.kind.name, source.store.uri.rstrip("/") + "/") for source in sources]
    return sorted(
        file.uri
        for file in missing
        if file.state == "loaded"
        and any(file.kind == kind and file.uri.startswith(root) for kind, root in roots)
    )


def choose_file_id(source: Source, item: LakeObject, taken: Collection[int]) -> int:
    """Choose a file's number: from its key, so that a lake gives the same rows wherever it lies.

    Two roots may hold the same key; the later one gets another number.
    """
    name = f"{source.kind.name}/{item.key}"
    while True:
        # 53 bits, so that the number survives JSON readers that know doubles only.
        number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) >> 11
        if number not in taken:
            return number
        name = f"{name} again"
