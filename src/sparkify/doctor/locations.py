"""Whether the places of [S3] are there and may be read, as :mod:`sparkify.doctor.examine` wants to know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from sparkify.cluster.aws import Aws
from sparkify.cluster.spec import s3_location
from sparkify.doctor.verdicts import Check, tried
from sparkify.errors import ConfigError, SourceNotFound
from sparkify.lake.folder import Folder
from sparkify.text import counted

NOT_THERE = ("404", "NoSuchBucket", "NoSuchKey", "NotFound")
# Larger is no JSONPaths file: ours has 18 lines.
JSONPATHS_BYTES = 1_000_000


def look_at(aws: Aws | None, key: str, uri: str, *, redshift: bool) -> Iterator[Check]:
    """Check the place one key of [S3] names; without a port to S3 nothing is said of what lies there."""
    if not uri:
        if key in {"LOG_DATA", "SONG_DATA"}:
            yield Check(key, ok=False, found="empty", remedy=f"Set [S3] {key} in dwh.cfg.")
        elif key == "STAGING" and redshift:
            yield Check(key, ok=True, found="empty; songs are sent as literals")
        return
    if not uri.startswith("s3://"):
        if redshift:
            found = f"{uri} is a local path"
            yield Check(key, ok=False, found=found, remedy="Redshift reads s3:// only: copy the files to S3.")
        else:
            yield tried(key, lambda: _local(key, Path(uri).expanduser()))
    elif aws:
        yield tried(key, lambda: _bucket(aws, key, uri))


def _local(key: str, path: Path) -> str:
    try:
        if key == "LOG_JSONPATH":
            return f"{path}: {_jsonpaths(path.read_bytes(), str(path))}"
    except OSError as exc:
        raise SourceNotFound(
            f"{path} cannot be read: {exc.strerror}.", f"Correct [S3] {key}.", uri=str(path)
        ) from exc
    # Listed as a run lists it, so that what it would stumble over is told here.
    store = Folder(str(path))
    found = store.listing().objects
    if not found:
        raise SourceNotFound(f"{path} holds no files.", f"Correct [S3] {key}.", uri=str(path))
    for item in found:
        store.verify(item)
    return f"{path}, {counted(len(found), 'file')} such as {found[0].key}"


def _bucket(aws: Aws, key: str, uri: str) -> str:
    try:
        place = s3_location(uri)
    except ValueError as exc:
        raise ConfigError(
            f"{uri} is not an S3 location.", f"Correct [S3] {key}: s3://bucket/prefix."
        ) from exc
    # First what has an answer with a body: that of `head_bucket` does not say why it was refused.
    below = f"{place.prefix}/" if place.prefix else ""
    listed = aws.call(
        "s3", "list_objects_v2", tolerate=NOT_THERE, Bucket=place.bucket, Prefix=below, MaxKeys=1
    )
    if not listed:
        raise SourceNotFound(f"the bucket {place.bucket} does not exist.", f"Correct [S3] {key}.", uri=uri)
    head = aws.call("s3", "head_bucket", Bucket=place.bucket)
    region = head.get("BucketRegion", "")
    where = f"{uri} in {region or 'an unnamed region'}"
    if region and region != aws.region:
        where += f" (the cluster's is {aws.region}: transfer is billed)"
    if key == "LOG_JSONPATH":
        answer = aws.call("s3", "get_object", tolerate=NOT_THERE, Bucket=place.bucket, Key=place.prefix)
        if not answer:
            raise SourceNotFound(f"{uri} does not exist.", "Correct [S3] LOG_JSONPATH.", uri=uri)
        return f"{where}: {_jsonpaths(answer['Body'].read(JSONPATHS_BYTES), uri)}"
    if key == "STAGING":
        return f"{where} (writing is not tried)"
    if listed.get("Contents"):
        return f"{where}, such as {listed['Contents'][0]['Key']}"
    # Not what only begins like it: log_data never takes log_data_old/.
    if place.prefix and aws.call(
        "s3", "head_object", tolerate=NOT_THERE, Bucket=place.bucket, Key=place.prefix
    ):
        return f"{where}, one object"
    raise SourceNotFound(f"{uri} holds no objects.", f"Correct [S3] {key}.", uri=uri)


def _jsonpaths(data: bytes, uri: str) -> str:
    """Check the shape COPY asks for; with another key it would silently fall back to 'auto'."""
    try:
        paths = json.loads(data)["jsonpaths"]
        assert isinstance(paths, list)
        assert paths
    except (ValueError, KeyError, TypeError, AssertionError) as exc:
        raise ConfigError(
            f"{uri} is not a JSONPaths file.", 'It is one object: {"jsonpaths": ["$[\'artist\']", …]}.'
        ) from exc
    return counted(len(paths), "path")
