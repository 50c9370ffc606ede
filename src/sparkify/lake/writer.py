"""Writing objects to a lake, whole or not at all; the only place where we create objects.

On S3 an object appears when its upload is complete; in a folder it is written under another name (which ends
in ``#`` and a number, so no reader takes it for data) and renamed when whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, S3Store

from sparkify.errors import SourceDenied, SourceError, SourceNotFound, TransientSourceError
from sparkify.lake.bucket import open_bucket
from sparkify.lake.uri import is_s3, parse_s3
from sparkify.settings import AwsSettings, expand_home

# Parts of a large object wait in memory until sent; four keep the connection busy.
_PARTS_AT_ONCE = 4
_THREADS = 16


class Writer:
    """A folder or ``s3://`` prefix that objects are written below; nothing is contacted until it is used.

    Args:
        uri: ``s3://bucket/prefix`` or a local folder, which need not exist.
        aws: Credentials, region and endpoint for S3.
    """

    def __init__(self, uri: str, aws: AwsSettings) -> None:
        self._prefix = ""
        self._store: S3Store | LocalStore | None = None
        if is_s3(uri):
            place = parse_s3(uri)
            self._prefix = place.folder
            self.uri = place.uri
            self._store = open_bucket(place.bucket, aws)
        else:
            self.uri = str(Path(expand_home(uri)).absolute())

    def put(self, key: str, data: bytes | Iterable[bytes | memoryview]) -> None:
        """Write one object, replacing what has its name; the chunks of a long one are sent as they come.

        Raises:
            SourceError: It could not be written; then it is not there, or as it was before.
        """
        try:
            obstore.put(self._open(), self._prefix + key, data, max_concurrency=_PARTS_AT_ONCE)
        except (BaseError, OSError) as exc:
            raise self._error(exc, f"{self.uri}/{key}", "written") from exc

    def put_all(self, objects: Sequence[tuple[str, bytes]]) -> None:
        """Write many small objects, several at once.

        Raises:
            SourceError: One could not be written; some of the others may be there, each whole.
        """
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="sparkify-write") as pool:
            for _ in pool.map(lambda item: self.put(*item), objects):
                pass

    def keys(self, below: str = "") -> list[str]:
        """Return the keys of all objects whose key starts with the folder ``below``.

        Raises:
            SourceError: The place is a file, or may not be listed.
        """
        folder = Path(self.uri)
        if self._store is None:
            if folder.is_file():
                raise SourceError(f"{self.uri} is a file.", "Name a folder.", uri=self.uri)
            if not folder.is_dir():
                return []
        try:
            listing = obstore.list(self._open(), self._prefix + below or None)
            return [item["path"].removeprefix(self._prefix) for batch in listing for item in batch]
        except (BaseError, OSError) as exc:
            raise self._error(exc, self.uri, "listed") from exc

    def remove(self, keys: Sequence[str]) -> None:
        """Delete objects.

        Raises:
            SourceError: One could not be deleted.
        """
        try:
            obstore.delete(self._open(), [self._prefix + key for key in keys])
        except (BaseError, OSError) as exc:
            raise self._error(exc, self.uri, "emptied") from exc

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

    def _open(self) -> S3Store | LocalStore:
        if self._store is None:
            self._store = LocalStore(self.uri, mkdir=True)
        return self._store

    def _error(self, exc: Exception, uri: str, what: str) -> SourceError:
        text = str(exc)
        if "NoSuchBucket" in text:
            return SourceNotFound(
                f"the bucket of {uri} does not exist.",
                "Create it, or check its name and [AWS] ENDPOINT_URL.",
                uri=uri,
            )
        denied = (PermissionDeniedError, UnauthenticatedError, PermissionError)
        if isinstance(exc, denied) or "code: 403" in text or "os error 13" in text:
            return SourceDenied(
                f"{uri} may not be {what}.",
                "Check the folder's permissions, or that the credentials may list and write the bucket.",
                uri=uri,
            )
        reason = text.split("\n", 1)[0][:300]
        if is_s3(self.uri):
            return TransientSourceError(
                f"{uri} cannot be {what}: {reason}",
                "Check the network, [AWS] REGION and [AWS] ENDPOINT_URL; if the store is busy, run again.",
                uri=uri,
            )
        return SourceError(f"{uri} cannot be {what}: {reason}", "Check the disk.", uri=uri)
