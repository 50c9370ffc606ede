"""The one grammar of the places of files: ``s3://bucket/prefix``, or else a local path."""

from __future__ import annotations

import re
from typing import NamedTuple

from sparkify.errors import ConfigError

_SCHEME = "s3://"
# What any S3-compatible server may call a bucket; AWS itself allows less (sparkify.cluster.spec).
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class S3Location(NamedTuple):
    """A bucket and a key, or what keys in it start with; an empty prefix is the whole bucket."""

    bucket: str
    prefix: str

    @property
    def uri(self) -> str:
        """The location as ``s3://bucket/prefix``, without a slash at its end."""
        return self.of(self.prefix).rstrip("/")

    @property
    def folder(self) -> str:
        """What the keys below the prefix start with: log_data must not take log_data_old/ with it."""
        return f"{self.prefix}/" if self.prefix else ""

    def of(self, key: str) -> str:
        """Return the URI of a key of the bucket."""
        return f"{_SCHEME}{self.bucket}/{key}"

    def key_of(self, uri: str) -> str:
        """Return the key of a URI of the bucket."""
        return uri.removeprefix(self.of(""))

    def holds(self, other: S3Location) -> bool:
        """Tell whether another location is this one or lies below it."""
        return self.bucket == other.bucket and f"{other.prefix}/".startswith(self.folder)


def is_s3(uri: str) -> bool:
    """Tell whether a place is on S3; everything else is a local path."""
    return uri.startswith(_SCHEME)


def parse_s3(uri: str) -> S3Location:
    """Split ``s3://bucket/prefix``; slashes at either end of the prefix do not count.

    Raises:
        ConfigError: It is not on S3, or is no name that S3 clients can send.
    """
    bucket, _, prefix = uri.removeprefix(_SCHEME).partition("/")
    prefix = prefix.strip("/")
    # The client panics on what cannot stand in a URL, and knows no key with an empty or dotted part.
    if (
        not is_s3(uri)
        or not _BUCKET.fullmatch(bucket)
        or any(part in ("", ".", "..") for part in (prefix or "-").split("/"))
    ):
        raise ConfigError(f"{uri} is not the name of a bucket and prefix.", "Write s3://bucket/prefix.")
    return S3Location(bucket, prefix)
