"""Writing objects below a prefix on S3: an object appears when its upload is complete."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from sparkify.errors import SourceError
from sparkify.lake.bucket import open_bucket
from sparkify.lake.s3_errors import Request, s3_error
from sparkify.lake.uri import parse_s3
from sparkify.settings import AwsSettings

# Parts of a large object wait in memory until sent; four keep the connection busy.
_PARTS_AT_ONCE = 4


class BucketWriter:
    """See :class:`sparkify.lake.writer.WritableStore`; nothing is contacted until it is used."""

    threads = 16

    def __init__(self, uri: str, aws: AwsSettings) -> None:
        place = parse_s3(uri)
        aws.verify_keys()
        self.uri = place.uri
        self._bucket = place.bucket
        self._prefix = place.folder
        self._aws = aws
        self._store: S3Store | None = None
        # Several threads write; only the first of them opens.
        self._opening = threading.Lock()

    def put(self, key: str, data: bytes | Iterable[bytes | memoryview]) -> None:
        try:
            obstore.put(self._open(), self._prefix + key, data, max_concurrency=_PARTS_AT_ONCE)
        except (BaseError, OSError) as exc:
            raise self._error(exc, f"{self.uri}/{key}", "written") from exc

    def get(self, key: str) -> bytes:
        try:
            return bytes(obstore.get(self._open(), self._prefix + key).bytes())
        except (BaseError, OSError) as exc:
            raise self._error(exc, f"{self.uri}/{key}", "read") from exc

    def keys(self, below: str = "") -> list[str]:
        try:
            listing = obstore.list(self._open(), self._prefix + below or None)
            return [item["path"].removeprefix(self._prefix) for batch in listing for item in batch]
        except (BaseError, OSError) as exc:
            raise self._error(exc, self.uri, "listed") from exc

    def remove(self, keys: Sequence[str]) -> None:
        try:
            obstore.delete(self._open(), [self._prefix + key for key in keys])
        except (BaseError, OSError) as exc:
            raise self._error(exc, self.uri, "emptied") from exc

    def _open(self) -> S3Store:
        with self._opening:
            if self._store is None:
                self._store = open_bucket(self._bucket, self._aws)
            return self._store

    def _error(self, exc: Exception, uri: str, what: str) -> SourceError:
        return s3_error(exc, Request(uri, self._bucket, self._aws, what))
