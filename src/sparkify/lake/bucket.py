"""A lake on S3, or any S3-compatible server; the only user of obstore's S3 client for reading."""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from sparkify.errors import SourceChanged, SourceError, SourceNotFound
from sparkify.lake.s3_errors import FAILURES, Request, is_bad_key, s3_error
from sparkify.lake.store import DATA_SUFFIXES, LakeObject, Listing, is_data, sort_out, verify_data
from sparkify.lake.uri import parse_s3
from sparkify.settings import AwsSettings
from sparkify.settings.resolution import s3_access, s3_client
from sparkify.text import visible

if TYPE_CHECKING:
    from obstore import ListResult, ObjectMeta

T = TypeVar("T")

# Listing is one page of 1,000 keys after another, so prefixes are listed side by side: enough of them to fill
# the threads, not so many that their requests cost more than the pages they replace.
_ENOUGH_PREFIXES = 8
_MOST_PREFIXES = 1000


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long we put up with a store that fails: 5xx, SlowDown, broken and silent connections.

    The number of tries bounds it and not the clock: a large object on a slow line is no failure.

    Attributes:
        retries: Tries after the first one; a body that breaks is resumed, each resumption being one of them.
        first_wait: Seconds before the first retry, growing from there with some jitter.
        longest_wait: Seconds no wait goes beyond.
        silence: Seconds without a byte after which a connection counts as broken.
    """

    retries: int = 8
    first_wait: float = 0.1
    longest_wait: float = 10
    silence: float = 30

    def client_options(self) -> dict[str, Any]:
        """Return the time-outs of obstore's client; its own cut every body off after 30 s, moving or not."""
        return {"timeout": timedelta(days=1), "read_timeout": timedelta(seconds=self.silence)}

    def retry_config(self) -> Any:
        """Return the retries of obstore's client."""
        return {
            "max_retries": self.retries,
            "backoff": {
                "init_backoff": timedelta(seconds=self.first_wait),
                "max_backoff": timedelta(seconds=self.longest_wait),
                "base": 2,
            },
            "retry_timeout": timedelta(days=1),
        }

    def call(self, request: Callable[[], T]) -> T:
        """Make a request whose answer's body the client does not read again when it breaks: a listing's."""
        for turn in range(self.retries):
            try:
                return request()
            except BaseError as exc:
                if "response body" not in str(exc):
                    raise  # the client has retried it already, or it is final
            time.sleep(min(self.longest_wait, self.first_wait * 2**turn))
        return request()


PATIENCE = RetryPolicy()


class Bucket:
    """Objects are the keys below ``s3://bucket/prefix/``, or the one key of exactly that name."""

    threads = 32

    def __init__(self, uri: str, aws: AwsSettings, patience: RetryPolicy = PATIENCE) -> None:
        self._place = parse_s3(uri)
        self.uri = self._place.uri
        self._name = self._place.bucket
        self._prefix = self._place.prefix
        self._patience = patience
        self._aws = aws
        aws.verify_keys()

    @cached_property
    def _store(self) -> S3Store:
        return open_bucket(self._name, self._aws, self._patience)

    def listing(self) -> Listing:
        root = self._place.folder
        unreadable: list[str] = []
        try:
            try:
                found = self._without_markers(self._list(root), unreadable)
            except FAILURES as exc:
                if not is_bad_key(exc):
                    raise
                found = self._list_exactly(root, unreadable, exc)
            if not found and not unreadable and self._prefix:
                found = [obstore.head(self._store, self._prefix)]
                root = self._prefix.rpartition("/")[0]
                root += "/" if root else ""
        except FileNotFoundError:
            found = []
        except FAILURES as exc:
            raise self._error(exc, self.uri, "listed") from exc
        if not found and not unreadable:
            raise SourceNotFound(
                f"{self.uri} holds no objects.",
                "Check the bucket and prefix of LOG_DATA and SONG_DATA in dwh.cfg.",
                uri=self.uri,
            )
        listing = sort_out([self._item(meta, root) for meta in found])
        # First, so that they are seen among many that are no data.
        left_out = sorted(visible(key.removeprefix(root)) for key in unreadable)
        return Listing(listing.objects, left_out + listing.ignored)

    def _without_markers(self, found: list[ObjectMeta], unreadable: list[str]) -> list[ObjectMeta]:
        """Return what was listed without the objects whose key ends in ``/``, which go to ``unreadable``.

        Spark and Hadoop mark a folder with one; the client lists it without the slash, as a file. It shows
        itself by being empty, by lying above others or by another of its name: then S3 is asked what really
        has that name.
        """
        above = {meta["path"].rpartition("/")[0] for meta in found}
        above |= {folder[:at] for folder in above for at, letter in enumerate(folder) if letter == "/"}
        times = Counter(meta["path"] for meta in found)
        suspects = {
            meta["path"]
            for meta in found
            if is_data(meta["path"])
            and (meta["size"] == 0 or times[meta["path"]] > 1 or meta["path"] in above)
        }
        if not suspects:
            return found
        with ThreadPoolExecutor(self.threads, thread_name_prefix="sparkify-head") as pool:
            real = dict(zip(suspects, pool.map(self._head, suspects), strict=True))
        kept = [meta for meta in found if meta["path"] not in suspects]
        kept += [meta for meta in real.values() if meta is not None]
        unreadable += [f"{path}/" for path in suspects for _ in range(times[path] - (real[path] is not None))]
        return kept

    def _head(self, key: str) -> ObjectMeta | None:
        try:
            return obstore.head(self._store, key)
        except FileNotFoundError:
            return None

    def _list_exactly(self, root: str, unreadable: list[str], exc: Exception) -> list[ObjectMeta]:
        """List with boto3, which knows every key; those the client cannot read go to ``unreadable``.

        Raises:
            SourceError: boto3 is not installed; then ``exc`` says which key it was.
        """
        try:
            import botocore.exceptions as botocore
        except ImportError:
            raise exc from None
        found: list[ObjectMeta] = []
        try:
            pages = s3_client(self._aws, self._name).get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._name, Prefix=root):
                for each in page.get("Contents", []):
                    if _is_readable(each["Key"]):
                        found.append(
                            {
                                "path": each["Key"],
                                "last_modified": each["LastModified"],
                                "size": each["Size"],
                                "e_tag": each["ETag"],
                                "version": None,
                            }
                        )
                    else:
                        unreadable.append(each["Key"])
        except (botocore.BotoCoreError, botocore.ClientError):
            raise exc from None
        return found

    def probe(self) -> Listing:
        listing = self.listing()
        verify_data(listing, self.uri)
        self.verify(listing.objects[0])  # to list and to read are two permissions
        return listing

    def _list(self, root: str) -> list[ObjectMeta]:
        found: list[ObjectMeta] = []
        level = [root]
        with ThreadPoolExecutor(self.threads, thread_name_prefix="sparkify-list") as pool:
            while level and len(level) < _ENOUGH_PREFIXES:
                answers = list(pool.map(self._list_level, level))
                below = [prefix + "/" for answer in answers for prefix in answer["common_prefixes"]]
                if len(below) > _MOST_PREFIXES:
                    break
                found.extend(meta for answer in answers for meta in answer["objects"])
                level = below
            for more in pool.map(self._list_below, level):
                found.extend(more)
        return found

    def _list_level(self, prefix: str) -> ListResult[Sequence[ObjectMeta]]:
        return self._patience.call(lambda: obstore.list_with_delimiter(self._store, prefix or None))

    def _list_below(self, prefix: str) -> Sequence[ObjectMeta]:
        return self._patience.call(lambda: obstore.list(self._store, prefix or None).collect())

    def _item(self, meta: ObjectMeta, root: str) -> LakeObject:
        path = meta["path"]
        version = (meta["e_tag"] or "").strip('"') or meta["last_modified"].isoformat()
        return LakeObject(self._place.of(path), path.removeprefix(root), meta["size"], version)

    def _key(self, item: LakeObject) -> str:
        return self._place.key_of(item.uri)

    def read(self, item: LakeObject) -> bytes:
        try:
            answer = obstore.get(self._store, self._key(item))
            self._compare(item, answer.meta)
            data = bytes(answer.bytes())
        except FAILURES as exc:
            raise self._error(exc, item.uri) from exc
        if len(data) != item.size:
            raise _changed(item)
        return data

    def read_named(self) -> bytes:
        """Return the contents of the one object of exactly this name.

        Raises:
            SourceError: It is not there, or cannot be read.
        """
        try:
            return bytes(obstore.get(self._store, self._prefix).bytes())
        except FileNotFoundError as exc:
            raise SourceNotFound(
                f"{self.uri} does not exist.", "Correct it in dwh.cfg.", uri=self.uri
            ) from exc
        except FAILURES as exc:
            raise self._error(exc, self.uri) from exc

    def local_path(self, item: LakeObject, folder: Path) -> Path:
        # The suffix tells the compression; the key itself may be too long for a file name, or hold what none
        # may.
        digest = hashlib.blake2b(item.uri.encode(), digest_size=12).hexdigest()
        suffix = next((each for each in DATA_SUFFIXES if item.key.lower().endswith(each)), "")
        path = folder / (digest + suffix)
        size = 0
        try:
            answer = obstore.get(self._store, self._key(item))
            self._compare(item, answer.meta)
            with path.open("wb") as file:
                for chunk in answer.stream():
                    size += file.write(chunk)
        except FAILURES as exc:
            raise self._error(exc, item.uri) from exc
        if size != item.size:
            raise _changed(item)
        return path

    def verify(self, item: LakeObject) -> None:
        try:
            self._compare(item, obstore.head(self._store, self._key(item)))
        except FAILURES as exc:
            raise self._error(exc, item.uri) from exc

    def _compare(self, item: LakeObject, meta: ObjectMeta) -> None:
        """Hold what the server sends against what was listed: not every S3 server honours If-Match."""
        if self._item(meta, "").version != item.version:
            raise _changed(item)

    def _error(self, exc: Exception, uri: str, doing: str = "read") -> SourceError:
        return s3_error(exc, Request(uri, self._name, self._aws, doing))


def _is_readable(key: str) -> bool:
    """Tell whether a key is a path to the client: no empty or dotted part, no control character."""
    return not any(part in ("", ".", "..") for part in key.split("/")) and not re.search(
        r"[\x00-\x1f\x7f]", key
    )


def open_bucket(bucket: str, aws: AwsSettings, patience: RetryPolicy = PATIENCE) -> S3Store:
    """Return obstore's client for a bucket; S3 may be asked which region it is in.

    Raises:
        ConfigError: There are no credentials, or only half of them.
    """
    access = s3_access(aws, bucket)
    config: Any = {
        "region": access.region,
        "endpoint": access.endpoint,
        "virtual_hosted_style_request": False,
    }
    client_options = patience.client_options()
    client_options["allow_http"] = access.endpoint.startswith("http://")
    options: dict[str, Any] = {"client_options": client_options, "retry_config": patience.retry_config()}
    if access.credentials:
        options["credential_provider"] = access.credentials
    return S3Store(bucket, config=config, **options)


def _changed(item: LakeObject) -> SourceChanged:
    return SourceChanged(
        f"{item.uri} changed after it was listed.",
        "Run again when whoever writes it has finished.",
        uri=item.uri,
    )
