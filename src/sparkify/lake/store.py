"""One interface to the objects of a lake, wherever they are, and the rule which of them are data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sparkify.errors import SourceError, SourceNotFound
from sparkify.text import counted

if TYPE_CHECKING:
    from concurrent.futures import Future

DATA_SUFFIXES = tuple(
    kind + codec for kind in (".json", ".jsonl", ".ndjson") for codec in ("", ".gz", ".zst")
)


class LakeObject(NamedTuple):
    """One version of one object.

    Attributes:
        uri: Its full name, ``s3://bucket/key`` or an absolute path.
        key: Its name below the root it was listed from.
        size: Bytes, as stored (before decompression).
        version: What changes when the contents do: the ETag, or the time of last change in ns.
    """

    uri: str
    key: str
    size: int
    version: str


class Listing(NamedTuple):
    """What lies below a root: the data objects by key, and the keys our rule leaves out."""

    objects: list[LakeObject]
    ignored: list[str]


class Store(Protocol):
    """A folder or prefix that can be listed and read from several threads at once."""

    uri: str
    threads: int

    def listing(self) -> Listing:
        """List everything below the root, sorted by key.

        Raises:
            SourceNotFound: The root does not exist.
            SourceDenied: We may not list it.
        """

    def probe(self) -> Listing:
        """Return what a run would read, if it could: list everything, and try the access without reading.

        Raises:
            SourceError: What a run would raise before it has read anything.
        """

    def read(self, item: LakeObject) -> bytes:
        """Return the whole contents of exactly the listed version.

        Raises:
            SourceChanged: The object is no longer the listed one.
            SourceError: It cannot be read.
        """

    def local_path(self, item: LakeObject, folder: Path) -> Path:
        """Return a file with exactly the listed version: its own if it is local, else a copy in ``folder``.

        The name keeps the suffix that tells the compression. Call :meth:`verify` after reading a file that is
        no copy, and after somebody else has read the object.

        Raises:
            SourceChanged: The object is no longer the listed one.
            SourceError: It cannot be read.
        """

    def verify(self, item: LakeObject) -> None:
        """Raise :class:`SourceChanged` unless the object is still the listed version."""


def is_data(key: str) -> bool:
    """Tell whether a key names data: a JSON suffix, and no part that starts with ``.`` or ``_``.

    Such parts are what tools leave behind (``.ipynb_checkpoints``, ``._x.json``, ``_SUCCESS``); the
    convention is Hadoop's.
    """
    hidden = key.startswith((".", "_")) or "/." in key or "/_" in key
    return not hidden and key.lower().endswith(DATA_SUFFIXES)


def sort_out(found: Sequence[LakeObject]) -> Listing:
    """Return the data objects by key, and the keys that are none."""
    objects: list[LakeObject] = []
    ignored: list[str] = []
    for item in found:
        if is_data(item.key):
            objects.append(item)
        else:
            ignored.append(item.key)
    return in_order(objects, ignored)


def in_order(objects: list[LakeObject], ignored: list[str]) -> Listing:
    """Return the listing of data objects and other keys, in the order of the keys."""
    return Listing(sorted(objects, key=attrgetter("key")), sorted(ignored))


def verify_data(listing: Listing, uri: str) -> None:
    """Raise unless a listing has something to load.

    Raises:
        SourceNotFound: There are no data files.
    """
    if not listing.objects:
        raise SourceNotFound(
            f"{uri} holds no data files ({counted(len(listing.ignored), 'other')}).",
            "Data files end in .json, .jsonl or .ndjson, optionally .gz or .zst.",
            uri=uri,
        )


def read_all(
    store: Store, objects: Sequence[LakeObject], group: int = 64
) -> Iterator[tuple[LakeObject, bytes]]:
    """Read many objects concurrently; yield them in the given order.

    Raises:
        SourceError: One cannot be read.
    """
    for item, data in read_each(store, objects, group):
        if isinstance(data, SourceError):
            raise data
        yield item, data


def read_each(
    store: Store, objects: Sequence[LakeObject], group: int = 64
) -> Iterator[tuple[LakeObject, bytes | SourceError]]:
    """Read many objects concurrently; yield them in the given order, or why one cannot be read.

    Objects go to the threads in groups, since one task for each tiny file costs more than reading it.
    At most two groups a thread are held in memory.
    """
    from concurrent.futures import ThreadPoolExecutor  # with logging; to list needs neither

    def read(item: LakeObject) -> bytes | SourceError:
        try:
            return store.read(item)
        except SourceError as exc:
            return exc

    def read_group(items: Sequence[LakeObject]) -> list[bytes | SourceError]:
        return [read(item) for item in items]

    # A few large files must not wait behind each other in one group.
    group = max(1, min(group, len(objects) // store.threads))
    groups = [objects[start : start + group] for start in range(0, len(objects), group)]
    pool = ThreadPoolExecutor(store.threads, thread_name_prefix="sparkify-read")
    try:
        ahead: list[tuple[Sequence[LakeObject], Future[list[bytes | SourceError]]]] = []
        waiting = iter(groups)
        ahead.extend((items, pool.submit(read_group, items)) for items in islice(waiting, 2 * store.threads))
        while ahead:
            items, future = ahead.pop(0)
            contents = future.result()
            ahead.extend((more, pool.submit(read_group, more)) for more in islice(waiting, 1))
            yield from zip(items, contents, strict=True)
    finally:
        pool.shutdown(cancel_futures=True)
