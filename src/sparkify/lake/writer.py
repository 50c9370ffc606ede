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

from sparkify.errors import ConfigError, SourceDenied, SourceError, SourceNotFound, TransientSourceError
from sparkify.lake.bucket import open_bucket
from sparkify.settings import AwsSettings

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
        if uri.startswith("s3://"):
            bucket, _, prefix = uri.removeprefix("s3://").partition("/")
            if not bucket:
                raise ConfigError(f"{uri} names no bucket.", "Write s3://bucket/prefix.")
            self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
            self.uri = f"s3://{bucket}/{self._prefix}".rstrip("/")
            self._store = open_bucket(bucket, aws)
        else:
            self.uri = str(Path(uri).expanduser().absolute())

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

    def get(self, key: str) -> bytes:
        """Return an object's contents.

        Raises:
            SourceError: It is not there, or cannot be read.
        """
        try:
            return bytes(obstore.get(self._open(), self._prefix + key).bytes())
        except (BaseError, OSError) as exc:
            raise self._error(exc, f"{self.uri}/{key}", "read") from exc

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
        if self.uri.startswith("s3://"):
            return TransientSourceError(
                f"{uri} cannot be {what}: {reason}",
                "Check the network, [AWS] REGION and [AWS] ENDPOINT_URL; if the store is busy, run again.",
                uri=uri,
            )
        return SourceError(f"{uri} cannot be {what}: {reason}", "Check the disk.", uri=uri)
