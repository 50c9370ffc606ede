"""What a run would do: the files of the lake compared with the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import itemgetter

from sparkify.errors import Command, ConfigError, Hint
from sparkify.lake.store import LakeObject, Listing, Store, verify_data
from sparkify.lake.stores import open_store
from sparkify.records import KINDS, RecordKind
from sparkify.settings import Settings
from sparkify.warehouse.ledger import Ledger, LedgerFile
from sparkify.warehouse.version import NO_UPGRADE, Upgrade, find_upgrade


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of files and where they are; ``listing`` is what was there when the run began."""

    kind: RecordKind
    store: Store
    listing: Listing


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file to load; ``replaces`` tells that an earlier version's rows go first."""

    source: Source
    item: LakeObject
    file_id: int
    replaces: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """The files that one transaction takes in.

    Attributes:
        files: The files.
        last: Whether none follows.
        new_rules: Whether everything that today's rules may read in another way is read again with it.
        full_refresh: Whether the star is computed whole after it.
    """

    files: list[PlannedFile]
    last: bool = True
    new_rules: bool = True
    full_refresh: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The files to load, oldest first and songs before events, and what stays as it is.

    Attributes:
        latest_run: The run the plan was made after; another one since makes it void.
        files: New and changed files.
        unchanged: How many files the warehouse has already.
        retracted: URIs in the lake that were retracted, and stay out until they change.
        gone: URIs in the ledger that are not in the lake any more; their rows stay.
        ignored: Keys that are not data (:func:`sparkify.lake.store.is_data`).
        upgrade: What makes the warehouse one of today; nothing, most days.
        reread: URIs of loaded files that are read again although they did not change.
        keeps_rules: Files that hold rejects cannot be read again, since nobody said where their kind is: then
            the warehouse stays one of older rules.
    """

    latest_run: int
    files: list[PlannedFile]
    unchanged: int
    retracted: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    upgrade: Upgrade = NO_UPGRADE
    reread: frozenset[str] = frozenset()
    keeps_rules: bool = False

    @property
    def size(self) -> int:
        """Bytes to read, as stored."""
        return sum(file.item.size for file in self.files)

    def batches(self, most_bytes: int, *, full_refresh: bool) -> list[Batch]:
        """Return the files in batches of about ``most_bytes``, each to be loaded in a transaction of its own.

        There is an empty one where no file is new and the star, or the warehouse's version, still is to
        change.
        """
        groups = list(in_groups(self.files, most_bytes))
        if not groups and (
            full_refresh or self.upgrade.models or (self.upgrade.rules and not self.keeps_rules)
        ):
            groups = [[]]

        def batch(files: list[PlannedFile], *, last: bool) -> Batch:
            return Batch(files, last, last and not self.keeps_rules, full_refresh and last)

        return [batch(group, last=number == len(groups)) for number, group in enumerate(groups, 1)]


def in_groups(files: Sequence[PlannedFile], most_bytes: int) -> Iterator[list[PlannedFile]]:
    """Yield files in groups of about ``most_bytes`` (as stored), at least one file each."""
    group: list[PlannedFile] = []
    size = 0
    for file in files:
        if group and size + file.item.size > most_bytes:
            yield group
            group, size = [], 0
        group.append(file)
        size += file.item.size
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


def make_plan(sources: Sequence[Source], ledger: Ledger, reload: frozenset[str] = frozenset()) -> Plan:
    """Compare the listings with the ledger.

    A file is known by its kind and URI, its version by its size and its ETag or time of last change. Those in
    ``reload`` are read again although they did not change, and so are those that hold rejects if the rules
    have changed.
    """
    upgrade = find_upgrade(ledger.meta)
    keeps_rules = False
    if upgrade.rules:
        rejects = [file for file in ledger.files if file.state == "loaded" and file.rows_rejected]
        reload |= {file.uri for file in rejects}
        keeps_rules = not {file.kind for file in rejects} <= {source.kind.name for source in sources}
    known = {(file.kind, file.uri): file for file in ledger.files}
    taken = {file.file_id for file in ledger.files}
    files: list[PlannedFile] = []
    retracted: list[str] = []
    unchanged = 0
    for source in sources:
        for item in source.listing.objects:
            loaded = known.get((source.kind.name, item.uri))
            if loaded is None:
                files.append(PlannedFile(source, item, _file_id(source, item, taken), replaces=False))
            elif (loaded.size, loaded.version) != (item.size, item.version) or item.uri in reload:
                files.append(PlannedFile(source, item, loaded.file_id, replaces=True))
            elif loaded.state == "retracted":
                retracted.append(item.uri)
            else:
                unchanged += 1
    return Plan(
        latest_run=ledger.latest_run,
        files=files,
        unchanged=unchanged,
        retracted=retracted,
        gone=_gone(sources, ledger.files),
        ignored=[key for source in sources for key in source.listing.ignored],
        upgrade=upgrade,
        reread=reload,
        keeps_rules=keeps_rules,
    )


def _gone(sources: Sequence[Source], files: Sequence[LedgerFile]) -> list[str]:
    """Return the loaded URIs below the sources' roots that the sources do not list any more."""
    gone = []
    for source in sources:
        listed = {item.uri for item in source.listing.objects}
        root = source.store.uri.rstrip("/") + "/"
        gone += [
            file.uri
            for file in files
            if file.kind == source.kind.name
            and file.state == "loaded"
            and file.uri.startswith(root)
            and file.uri not in listed
        ]
    return sorted(gone)


def _file_id(source: Source, item: LakeObject, taken: set[int]) -> int:
    """Choose a file's number: from its key, so that a lake gives the same rows wherever it lies.

    Two roots may hold the same key; the later one is then numbered from its full URI.
    """
    name = f"{source.kind.name}/{item.key}"
    while True:
        # 53 bits, so that the number survives JSON readers that know doubles only.
        number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) >> 11
        if number not in taken:
            taken.add(number)
            return number
        name = f"{name} {item.uri}"
