"""A lake on S3, or any S3-compatible server; the only user of obstore's S3 client for reading."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import obstore
from obstore.exceptions import (
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from sparkify.errors import (
    ConfigError,
    SourceChanged,
    SourceDenied,
    SourceError,
    SourceNotFound,
    TransientSourceError,
)
from sparkify.lake.store import DATA_SUFFIXES, LakeObject, Listing, sort_out, verify_data
from sparkify.lake.uri import parse_s3
from sparkify.settings import AwsSettings

if TYPE_CHECKING:
    from obstore import ListResult, ObjectMeta

T = TypeVar("T")

# What the client raises; a ValueError is a key that is no path to it, such as a//b.
_FAILURES = (BaseError, OSError, ValueError)

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
        self._store = open_bucket(self._name, aws, patience)

    def listing(self) -> Listing:
        root = self._place.folder
        try:
            found = self._list(root)
            if not found and self._prefix:
                found = [obstore.head(self._store, self._prefix)]
                root = self._prefix.rpartition("/")[0]
                root += "/" if root else ""
        except FileNotFoundError:
            found = []
        except _FAILURES as exc:
            raise self._error(exc, self.uri) from exc
        if not found:
            raise SourceNotFound(
                f"{self.uri} holds no objects.",
                "Check the bucket and prefix of LOG_DATA and SONG_DATA in dwh.cfg.",
                uri=self.uri,
            )
        return sort_out([self._item(meta, root) for meta in found])

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
        except _FAILURES as exc:
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
        except _FAILURES as exc:
            raise self._error(exc, self.uri) from exc

    def local_path(self, item: LakeObject, spool: Path) -> Path:
        # The suffix tells the compression; the key itself may be too long, or too odd, for a file name.
        digest = hashlib.blake2b(item.uri.encode(), digest_size=12).hexdigest()
        suffix = next((each for each in DATA_SUFFIXES if item.key.lower().endswith(each)), "")
        path = spool / (digest + suffix)
        size = 0
        try:
            answer = obstore.get(self._store, self._key(item))
            self._compare(item, answer.meta)
            with path.open("wb") as file:
                for chunk in answer.stream():
                    size += file.write(chunk)
        except _FAILURES as exc:
            raise self._error(exc, item.uri) from exc
        if size != item.size:
            raise _changed(item)
        return path

    def verify(self, item: LakeObject) -> None:
        try:
            self._compare(item, obstore.head(self._store, self._key(item)))
        except _FAILURES as exc:
            raise self._error(exc, item.uri) from exc

    def _compare(self, item: LakeObject, meta: ObjectMeta) -> None:
        """Hold what the server sends against what was listed: not every S3 server honours If-Match."""
        if self._item(meta, "").version != item.version:
            raise _changed(item)

    def _error(self, exc: Exception, uri: str) -> SourceError:
        text = str(exc)
        if "NoSuchBucket" in text:
            return SourceNotFound(
                f"the bucket {self._name} does not exist.",
                "Check the bucket's name in dwh.cfg, and [AWS] ENDPOINT_URL if it is not on AWS.",
                uri=uri,
            )
        if isinstance(exc, FileNotFoundError | PreconditionError):
            return SourceChanged(f"{uri} changed or vanished after it was listed.", "Run again.", uri=uri)
        if isinstance(exc, PermissionDeniedError | UnauthenticatedError) or _status(text) in (401, 403):
            return SourceDenied(
                f"{uri} may not be read: the store answered {_code(text)}.",
                "Check whose credentials are used ([AWS] KEY and SECRET, or the standard chain) and that "
                "they allow s3:ListBucket on the bucket and s3:GetObject on the prefix.",
                uri=uri,
            )
        if _status(text) in (301, 307, 400) or "redirect" in text.lower():
            return SourceError(
                f"{uri} cannot be read: the store answered {_code(text)}.",
                f"Set [AWS] REGION to the region of the bucket {self._name}.",
                uri=uri,
            )
        if isinstance(exc, ValueError) or "invalid path" in text:
            return SourceError(
                f"{uri} holds a key that cannot be read: {_first_line(text)}.",
                "Rename that object: no part of its key may be empty, '.' or '..'.",
                uri=uri,
            )
        return TransientSourceError(
            f"{uri} cannot be read: {_first_line(text)}",
            "Check the network and [AWS] ENDPOINT_URL; if the store is busy, run again: nothing was changed.",
            uri=uri,
        )


def open_bucket(bucket: str, aws: AwsSettings, patience: RetryPolicy = PATIENCE) -> S3Store:
    """Return obstore's client for a bucket, with the credentials the settings name.

    KEY and SECRET of dwh.cfg win; else the standard AWS chain, through boto3 where it is installed
    (it knows profiles and SSO), else through the environment and instance metadata.

    Raises:
        ConfigError: There are no credentials, or only half of them.
    """
    aws.verify_keys()
    config: Any = {"region": aws.region or "us-east-1"}
    client_options = patience.client_options()
    options: dict[str, Any] = {"client_options": client_options, "retry_config": patience.retry_config()}
    if aws.endpoint_url:
        config["endpoint"] = aws.endpoint_url
        config["virtual_hosted_style_request"] = False
        client_options["allow_http"] = aws.endpoint_url.startswith("http://")
    if aws.key:
        config["access_key_id"] = str(aws.key)
        config["secret_access_key"] = str(aws.secret)
    else:
        provider = _chain(aws)
        if provider is not None:
            options["credential_provider"] = provider
            if not aws.region and provider.config.get("region"):
                config["region"] = provider.config["region"]
    return S3Store(bucket, config=config, **options)


def _chain(aws: AwsSettings) -> Any:
    try:
        from boto3 import Session
        from botocore.exceptions import BotoCoreError
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        if aws.profile:
            raise ConfigError(
                f"[AWS] PROFILE is {aws.profile}, but boto3, which reads profiles, is not installed.",
                "Install it with `pip install '.[aws]'`, or set KEY and SECRET.",
            ) from None
        return None
    try:
        session = Session(profile_name=aws.profile or None, region_name=aws.region or None)
        if session.get_credentials() is None:
            raise ConfigError(
                "no AWS credentials were found: [AWS] KEY is empty and the standard chain has none.",
                "Set KEY and SECRET in dwh.cfg, AWS_PROFILE, or run `aws configure`.",
            )
        return Boto3CredentialProvider(session)
    except BotoCoreError as exc:
        raise ConfigError(f"the AWS credentials cannot be used: {exc}.", "Check [AWS] PROFILE.") from exc


def _changed(item: LakeObject) -> SourceChanged:
    return SourceChanged(
        f"{item.uri} changed after it was listed.",
        "Run again when whoever writes it has finished.",
        uri=item.uri,
    )


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0][:300]


def _status(text: str) -> int | None:
    _, found, rest = text.partition("non-2xx status code: ")
    return int(rest[:3]) if found and rest[:3].isdigit() else None


def _code(text: str) -> str:
    """Return the S3 error code and HTTP status of an answer, without its request details."""
    _, found, rest = text.partition("<Code>")
    code = rest.partition("</Code>")[0] if found else ""
    return " ".join(str(part) for part in (_status(text), code) if part) or "a refusal"
