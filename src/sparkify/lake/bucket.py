"""A lake on S3, or any S3-compatible server; the only user of obstore's S3 client for reading."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import (
    BaseError,
    NotFoundError,
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
from sparkify.lake.store import LakeObject, Listing, sort_out
from sparkify.settings import AwsSettings

if TYPE_CHECKING:
    from obstore import ObjectMeta

# The client retries 5xx, SlowDown, time-outs and broken connections by itself, up to a minute a request.
RETRY: Any = {
    "max_retries": 8,
    "backoff": {
        "init_backoff": timedelta(milliseconds=100),
        "max_backoff": timedelta(seconds=10),
        "base": 2,
    },
    "retry_timeout": timedelta(seconds=60),
}


class Bucket:
    """Objects are the keys below ``s3://bucket/prefix/``, or the one key of exactly that name."""

    threads = 32

    def __init__(self, uri: str, aws: AwsSettings) -> None:
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        if not bucket:
            raise ConfigError(f"{uri} names no bucket.", "Write s3://bucket/prefix.")
        self.uri = f"s3://{bucket}/{prefix.strip('/')}".rstrip("/")
        self._name = bucket
        self._prefix = prefix.strip("/")
        self._store = open_bucket(bucket, aws)

    def listing(self) -> Listing:
        # A slash, since log_data must not take log_data_old/ with it.
        root = self._prefix + "/" if self._prefix else ""
        try:
            first = obstore.list_with_delimiter(self._store, root or None)
            found = list(first["objects"])
            with ThreadPoolExecutor(self.threads, thread_name_prefix="sparkify-list") as pool:
                for more in pool.map(self._list_below, first["common_prefixes"]):
                    found.extend(more)
            if not found and self._prefix:
                found = [obstore.head(self._store, self._prefix)]
                root = self._prefix.rpartition("/")[0]
                root += "/" if root else ""
        except NotFoundError as exc:
            if "NoSuchBucket" in str(exc):
                raise self._error(exc, self.uri) from exc
            found = []
        except (BaseError, OSError) as exc:
            raise self._error(exc, self.uri) from exc
        if not found:
            raise SourceNotFound(
                f"{self.uri} holds no objects.",
                "Check the bucket and prefix of LOG_DATA and SONG_DATA in dwh.cfg.",
                uri=self.uri,
            )
        return sort_out([self._item(meta, root) for meta in found])

    def _list_below(self, prefix: str) -> list[ObjectMeta]:
        return list(obstore.list(self._store, prefix.rstrip("/") + "/").collect())

    def _item(self, meta: ObjectMeta, root: str) -> LakeObject:
        path = meta["path"]
        version = (meta["e_tag"] or "").strip('"') or meta["last_modified"].isoformat()
        return LakeObject(f"s3://{self._name}/{path}", path.removeprefix(root), meta["size"], version)

    def _key(self, item: LakeObject) -> str:
        return item.uri.removeprefix(f"s3://{self._name}/")

    def read(self, item: LakeObject) -> bytes:
        try:
            answer = obstore.get(self._store, self._key(item))
            self._compare(item, answer.meta)
            data = bytes(answer.bytes())
        except (BaseError, OSError) as exc:
            raise self._error(exc, item.uri) from exc
        if len(data) != item.size:
            raise _changed(item)
        return data

    def local_path(self, item: LakeObject, spool: Path) -> Path:
        # The suffix tells the compression; the key itself may be too long, or too odd, for a file name.
        digest = hashlib.blake2b(item.uri.encode(), digest_size=12).hexdigest()
        path = spool / (digest + "".join(PurePosixPath(item.key).suffixes[-2:]))
        size = 0
        try:
            answer = obstore.get(self._store, self._key(item))
            self._compare(item, answer.meta)
            with path.open("wb") as file:
                for chunk in answer.stream():
                    size += file.write(chunk)
        except (BaseError, OSError) as exc:
            raise self._error(exc, item.uri) from exc
        if size != item.size:
            raise _changed(item)
        return path

    def verify(self, item: LakeObject) -> None:
        """Nothing to do: the copy was held against the listing when it was made."""

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
        if isinstance(exc, NotFoundError | PreconditionError):
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
        return TransientSourceError(
            f"{uri} cannot be read: {_first_line(text)}",
            "Check the network and [AWS] ENDPOINT_URL; if the store is busy, run again: nothing was changed.",
            uri=uri,
        )


def open_bucket(bucket: str, aws: AwsSettings) -> S3Store:
    """Return obstore's client for a bucket, with the credentials the settings name.

    KEY and SECRET of dwh.cfg win; else the standard AWS chain, through boto3 where it is installed
    (it knows profiles and SSO), else through the environment and instance metadata.
    """
    config: Any = {"region": aws.region or "us-east-1"}
    options: dict[str, Any] = {"client_options": {"allow_http": False}, "retry_config": RETRY}
    if aws.endpoint_url:
        config["endpoint"] = aws.endpoint_url
        config["virtual_hosted_style_request"] = False
        options["client_options"] = {"allow_http": aws.endpoint_url.startswith("http://")}
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
                "Install it with `pip install 'sparkify[aws]'`, or set KEY and SECRET.",
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
