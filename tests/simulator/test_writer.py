"""The lake's writer, against a real folder and a real S3 server."""

from __future__ import annotations

import os

import pytest

from sparkify.errors import ConfigError, SourceDenied, SourceError, SourceNotFound
from sparkify.lake.writer import Writer
from sparkify.settings import load_settings
from tests.simulator.conftest import aws_of
from tests.simulator.files import tree


def test_what_is_put_is_there_whole(place):
    uri, folder, aws = place
    writer = Writer(uri, aws)
    assert writer.keys() == []
    writer.put("one.json", b"1")
    writer.put("deep/er/two.json", [b"2" * 6_000_000, memoryview(b"345")[:2], b""])
    writer.put_all([(f"many/{i}.json", b"%d" % i) for i in range(40)])
    expected = {"one.json": b"1", "deep/er/two.json": b"2" * 6_000_000 + b"34"}
    expected |= {f"many/{i}.json": b"%d" % i for i in range(40)}
    assert tree(folder) == expected
    assert sorted(writer.keys()) == sorted(expected)
    assert sorted(writer.keys("many/")) == sorted(name for name in expected if name.startswith("many/"))
    writer.put("one.json", b"other")
    writer.remove([name for name in expected if name != "one.json"])
    assert tree(folder) == {"one.json": b"other"}


def test_what_fails_half_way_leaves_nothing_or_what_was_there(place):
    uri, folder, aws = place

    def broken():
        yield b"x" * 12_000_000
        raise InterruptedError

    writer = Writer(uri, aws)
    writer.put("old.json", b"old")
    for name in ("old.json", "new.json"):
        with pytest.raises((SourceError, InterruptedError)):
            writer.put(name, broken())
    assert tree(folder) == {"old.json": b"old"}


def test_what_a_killed_process_left_half_written_is_no_object(tmp_path):
    (tmp_path / "day.json#123").write_text("{")
    writer = Writer(str(tmp_path), load_settings(environment={}).aws)
    writer.put("day.json", b"{}")
    assert writer.keys() == ["day.json"]


def test_a_prefix_is_not_mistaken_for_its_neighbour(place):
    uri, _, aws = place
    Writer(uri + "_old", aws).put("one.json", b"1")
    assert Writer(uri, aws).keys() == []


def test_a_bucket_that_is_not_there_is_named(s3):
    with pytest.raises(SourceNotFound, match="nowhere"):
        Writer("s3://nowhere-at-all/x", aws_of(s3)).put("one.json", b"1")


def test_wrong_credentials_are_denied(s3):
    (s3.root / "private").mkdir(exist_ok=True)
    flags = {"AWS.ENDPOINT_URL": s3.endpoint, "AWS.KEY": "ANOTHERKEY12", "AWS.SECRET": "wrong-secret"}
    writer = Writer("s3://private/x", load_settings(environment={}, flags=flags).aws)
    with pytest.raises(SourceDenied):
        writer.put("one.json", b"1")
    with pytest.raises(SourceDenied):
        writer.keys()


def test_an_uri_without_a_bucket_is_refused(s3):
    with pytest.raises(ConfigError):
        Writer("s3:///x", aws_of(s3))


def test_a_file_is_no_place_to_write_below(tmp_path):
    (tmp_path / "file").write_text("x")
    writer = Writer(str(tmp_path / "file"), load_settings(environment={}).aws)
    with pytest.raises(SourceError, match="is a file"):
        writer.keys()
    with pytest.raises(SourceError):
        writer.put("one.json", b"1")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_we_may_not_write_is_denied(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(SourceDenied):
        Writer(str(tmp_path / "lake"), load_settings(environment={}).aws).put("one.json", b"1")
