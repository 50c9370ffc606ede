"""Keys that S3 allows and no file system does: those that end in a slash, and those nobody can read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from sparkify.errors import SourceError, SourceNotFound
from sparkify.lake.bucket import Bucket
from sparkify.lake.store import read_all
from sparkify.settings import AwsSettings, Secret

Put = Callable[[dict[str, bytes]], Bucket]


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def put(moto: str) -> Put:
    """Put objects into a fresh bucket, whatever their keys; return its prefix log."""

    def put(objects: dict[str, bytes]) -> Bucket:
        name = f"lake-{uuid4().hex[:12]}"
        client: Any = boto3.client(
            "s3",
            endpoint_url=moto,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            region_name="us-east-1",
        )
        client.create_bucket(Bucket=name)
        for key, data in objects.items():
            client.put_object(Bucket=name, Key=key, Body=data)
        aws = AwsSettings(Secret("testing"), Secret("testing"), "", "", moto)
        return Bucket(f"s3://{name}/log", aws)

    return put


def contents(bucket: Bucket) -> tuple[dict[str, bytes], list[str]]:
    listing = bucket.listing()
    return {item.key: data for item, data in read_all(bucket, listing.objects)}, listing.ignored


ONE = {"log/b.json": b"B"}


@pytest.mark.parametrize(
    ("objects", "readable", "left_out"),
    [
        ({"log/x.json/": b"", "log/x.json/part-0.json": b"P"}, {"x.json/part-0.json": b"P"}, ["x.json/"]),
        ({"log/x.json/": b"full", "log/x.json/p.json": b"P"}, {"x.json/p.json": b"P"}, ["x.json/"]),
        ({"log/x.json/": b""}, {}, ["x.json/"]),
        ({"log/a.json": b"A", "log/a.json/": b"A"}, {"a.json": b"A"}, ["a.json/"]),
        ({"log/a.json": b"A", "log/a.json/": b""}, {"a.json": b"A"}, ["a.json/"]),
        ({"log/a.json": b"", "log/a.json/": b""}, {"a.json": b""}, ["a.json/"]),
        ({"log/a.json": b"", "log/c/d.json": b""}, {"a.json": b"", "c/d.json": b""}, []),
        ({"log/x.json/y/z.json": b"Z", "log/x.json": b"X"}, {"x.json": b"X", "x.json/y/z.json": b"Z"}, []),
    ],
    ids=[
        "marker of a folder",
        "full marker",
        "empty alone",
        "twins",
        "twins, one empty",
        "twins, both empty",
        "empty files",
        "a file and a folder of one name",
    ],
)
def test_a_key_that_ends_in_a_slash_is_no_data(
    put: Put, objects: dict[str, bytes], readable: dict[str, bytes], left_out: list[str]
) -> None:
    """Case s3-directory-marker-json."""
    assert contents(put(objects | ONE)) == (readable | {"b.json": b"B"}, left_out)


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("log/a//b.json", "a//b.json"),
        ("log//b.json", "/b.json"),
        ("log/./b.json", "./b.json"),
        ("log/a/../b.json", "a/../b.json"),
        ("log/a\x01b.json", "a\\x01b.json"),
        ("log/a\tb.json", "a\\tb.json"),
        ("log/a//notes.txt", "a//notes.txt"),
    ],
)
def test_a_key_nobody_can_read_is_named_and_left_out(put: Put, key: str, shown: str) -> None:
    """Case s3-double-slash: one object does not stop the lake; it is named before others that are no data."""
    files = {"log/c.json": b"C", "log/ü 1.json": b"U", "log/!.txt": b""}
    assert contents(put({key: b"x"} | files)) == ({"c.json": b"C", "ü 1.json": b"U"}, [shown, "!.txt"])


def test_where_only_such_keys_are_they_are_named(put: Put) -> None:
    assert contents(put({"log/a//b.json": b"x"})) == ({}, ["a//b.json"])


def test_without_boto3_such_a_key_is_an_error_that_says_so(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = put({"log/a//b.json": b"x"} | ONE)
    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)
    with pytest.raises(SourceError) as caught:
        bucket.listing()
    assert "log/a//" in caught.value.message
    assert "Rename" in caught.value.hint
    assert not isinstance(caught.value, SourceNotFound)
