"""Writing objects to a lake, whole or not at all; the only place where we create objects.

On S3 an object appears when its upload is complete; in a folder it is written under another name (which ends
in ``#`` and a number, so no reader takes it for data) and renamed when whole.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from sparkify.errors import SourceDenied, SourceError
from sparkify.lake.bucket import open_bucket
from sparkify.lake.s3_errors import Request, s3_error
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
        self._bucket = ""
        self._aws = aws
        self._store: S3Store | LocalStore | None = None
        # Several threads write; only the first of them opens.
        self._opening = threading.Lock()
        if is_s3(uri):
            place = parse_s3(uri)
            aws.verify_keys()
            self._bucket = place.bucket
            self._prefix = place.folder
            self.uri = place.uri
        else:
            self.uri = os.path.abspath(expand_home(uri))  # noqa: PTH100 - as Folder does

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
        if not self._bucket:
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
        with self._opening:
            if self._store is None:
                if self._bucket:
                    self._store = open_bucket(self._bucket, self._aws)
                else:
                    self._store = LocalStore(self.uri, mkdir=True)
            return self._store

    def _error(self, exc: Exception, uri: str, what: str) -> SourceError:
        if self._bucket:
            return s3_error(exc, Request(uri, self._bucket, self._aws, what))
        text = str(exc)
        if isinstance(exc, PermissionError) or "os error 13" in text:
            return SourceDenied(f"{uri} may not be {what}.", "Check the folder's permissions.", uri=uri)
        return SourceError(
            f"{uri} cannot be {what}: {text.split(chr(10), 1)[0][:300]}", "Check the disk.", uri=uri
        )
