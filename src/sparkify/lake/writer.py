"""Writing objects to a lake, whole or not at all; the only place where we create objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from sparkify.errors import SourceError
from sparkify.lake.uri import is_s3
from sparkify.settings import AwsSettings


class WritableStore(Protocol):
    """A folder or prefix; its methods are those of :class:`Writer`.

    Attributes:
        uri: Its name.
        threads: So many write small objects sooner than one.
    """

    uri: str
    threads: int

    def put(self, key: str, data: bytes | Iterable[bytes | memoryview]) -> None: ...

    def get(self, key: str) -> bytes: ...

    def keys(self, below: str = "") -> list[str]: ...

    def remove(self, keys: Sequence[str]) -> None: ...


class Writer:
    """A folder or ``s3://`` prefix that objects are written below; nothing is contacted until it is used.

    Args:
        uri: ``s3://bucket/prefix`` or a local folder, which need not exist.
        aws: Credentials, region and endpoint for S3.
    """

    def __init__(self, uri: str, aws: AwsSettings) -> None:
        self._place = _open(uri, aws)
        self.uri = self._place.uri

    def put(self, key: str, data: bytes | Iterable[bytes | memoryview]) -> None:
        """Write one object, replacing what has its name; the chunks of a long one are sent as they come.

        Raises:
            SourceError: It could not be written; then it is not there, or as it was before.
        """
        self._place.put(key, data)

    def put_all(self, objects: Sequence[tuple[str, bytes]]) -> None:
        """Write many small objects, several at once where that is sooner.

        Raises:
            SourceError: One could not be written; some of the others may be there, each whole.
        """
        if self._place.threads == 1:
            for key, data in objects:
                self.put(key, data)
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(self._place.threads, thread_name_prefix="sparkify-write") as pool:
            for _ in pool.map(lambda item: self.put(*item), objects):
                pass

    def get(self, key: str) -> bytes:
        """Return an object's contents.

        Raises:
            SourceError: It is not there, or cannot be read.
        """
        return self._place.get(key)

    def keys(self, below: str = "") -> list[str]:
        """Return the keys of all objects whose key starts with the folder ``below``.

        Raises:
            SourceError: The place is a file, or may not be listed.
        """
        return self._place.keys(below)

    def remove(self, keys: Sequence[str]) -> None:
        """Delete objects.

        Raises:
            SourceError: One could not be deleted.
        """
        self._place.remove(keys)

    def probe(self, key: str) -> str:
        """Write an object and delete it: no store can say without writing whether it may be written.

        Nothing is left, but a version and its delete marker where the bucket keeps versions. An object that
        may be written and not deleted is no error, as it is none of a run: the answer says so.

        Returns:
            What is to be said of the place.

        Raises:
            SourceError: It could not be written.
        """
        self.put(key, b"")
        try:
            self.remove([key])
        except SourceError as exc:
            return f"{self.uri} may be written, but not emptied: {exc.message}"
        return f"{self.uri} may be written"


def _open(uri: str, aws: AwsSettings) -> WritableStore:
    if is_s3(uri):
        from sparkify.lake.bucket_writer import BucketWriter

        return BucketWriter(uri, aws)
    from sparkify.lake.folder_writer import FolderWriter

    return FolderWriter(uri)
