"""S3 as the cluster sees it: with its own role, in its own region.

Owns every request to S3 and the errors S3 answers with. Never uses the client's credentials.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import zstandard

from .errors import INTERNAL, NOT_SUPPORTED, RedshiftError
from .options import Options

if TYPE_CHECKING:
    from .copystatement import CopyStatement

_THREADS = 8


@dataclass(frozen=True)
class Url:
    """Where an object lies, or where keys begin."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, text: str) -> Url:
        if not text.startswith("s3://") or not text[5:].partition("/")[0]:
            raise RedshiftError(INTERNAL, f"Invalid S3 url: {text}")
        bucket, _, key = text[5:].partition("/")
        return cls(bucket, key)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Missing(Exception):
    """No such object."""


@cache  # a COPY would take longer to make one than to read
def _client(options: Options) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=options.s3_endpoint,
        aws_access_key_id=options.s3_key,
        aws_secret_access_key=options.s3_secret,
        region_name="us-east-1",
        config=Config(
            s3={"addressing_style": "path"}, retries={"max_attempts": 2}, max_pool_connections=_THREADS
        ),
    )


class Objects:
    """The cluster's view of S3 for one COPY.

    Raises:
        RedshiftError: the role is not attached to the cluster, or the cluster has no way to S3.
    """

    def __init__(self, options: Options, copy: CopyStatement) -> None:
        roles = options.iam_roles
        if copy.role != "default" and roles is not None and not set(copy.role.split(",")) <= roles:
            raise RedshiftError(
                INTERNAL,
                f"User arn:aws:redshift:{options.region}:000000000000:dbuser:stand-in is not authorized to"
                f" assume IAM Role {copy.role}",
            )
        if options.s3_endpoint is None:
            raise RedshiftError(
                INTERNAL, "S3CurlException: Connection refused, the stand-in has no S3 endpoint"
            )
        self._options, self._region = options, copy.region or options.region
        self._client = _client(options)

    def _check_region(self, bucket: str) -> None:
        if self._options.bucket_regions.get(bucket, self._options.region) != self._region:
            raise RedshiftError(
                INTERNAL,
                "S3ServiceException:The bucket you are attempting to access must be addressed using the"
                " specified endpoint. Please send all future requests to this endpoint.,Status 301,Error"
                " PermanentRedirect",
            )

    def read(self, url: Url) -> bytes:
        """One object.

        Raises:
            Missing: there is none.
            RedshiftError: S3 refuses.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        self._check_region(url.bucket)
        try:
            body: bytes = self._client.get_object(Bucket=url.bucket, Key=url.key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchBucket", "404"):
                raise Missing(str(url)) from None
            raise _service_error(error) from None
        except BotoCoreError as error:
            raise RedshiftError(INTERNAL, f"S3CurlException: {error}") from None
        return body

    def read_named(self, url: Url, what: str) -> bytes:
        """An object the statement names: the manifest, the JSONPaths file."""
        try:
            return self.read(url)
        except Missing:
            raise RedshiftError(
                INTERNAL,
                f"Problem reading {what} file - S3ServiceException:The specified key does not exist.,"
                "Status 404,Error NoSuchKey",
                detail=f"error: {url}  code: 9001",
            ) from None

    def keys(self, prefix: Url) -> list[Url]:
        """Every object whose key begins so: `log` also finds `log_old/`."""
        from botocore.exceptions import BotoCoreError, ClientError

        self._check_region(prefix.bucket)
        found: list[Url] = []
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=prefix.bucket, Prefix=prefix.key
            )
            for page in pages:
                found += [
                    Url(prefix.bucket, item["Key"]) for item in page.get("Contents", ()) if item["Size"]
                ]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise _service_error(error) from None
        except BotoCoreError as error:
            raise RedshiftError(INTERNAL, f"S3CurlException: {error}") from None
        return sorted(found, key=str)

    def read_all(self, urls: Sequence[Url]) -> Iterator[tuple[Url, bytes | None]]:
        """The objects in order, some at once; None for one that is missing."""

        def read(url: Url) -> bytes | None:
            try:
                return self.read(url)
            except Missing:
                return None

        with ThreadPoolExecutor(_THREADS) as pool:
            yield from zip(urls, pool.map(read, urls), strict=True)


def _service_error(error: Any) -> RedshiftError:
    answer = error.response
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
    return RedshiftError(
        INTERNAL,
        f"S3ServiceException:{answer['Error'].get('Message', '')},"
        f"Status {status},Error {answer['Error']['Code']}",
    )


def unpacked(data: bytes, options: set[str], url: Url) -> bytes:
    """The bytes behind GZIP or ZSTD.

    Raises:
        RedshiftError: they are not so compressed, or cut short.
    """
    if "gzip" in options:
        try:
            return gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise RedshiftError(INTERNAL, f"Failed to decompress {url}: {error}") from None
    if "zstd" in options:
        try:
            with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as stream:
                return bytes(stream.read())
        except zstandard.ZstdError as error:
            raise RedshiftError(INTERNAL, f"Failed to decompress {url}: {error}") from None
    for name in ("bzip2", "lzop"):
        if name in options:
            raise RedshiftError(NOT_SUPPORTED, f"the stand-in does not know {name.upper()}")
    return data
