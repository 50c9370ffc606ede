"""One grammar of places: what is on S3, what is local, and what is neither."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sparkify
from sparkify.errors import ConfigError
from sparkify.lake.uri import S3Location, is_s3, parse_s3

SOURCE = Path(sparkify.__file__).parent


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("s3://bucket", S3Location("bucket", "")),
        ("s3://bucket/", S3Location("bucket", "")),
        ("s3://my_Bucket/log_data/", S3Location("my_Bucket", "log_data")),
        ("s3://bucket//a/b/", S3Location("bucket", "a/b")),
        ("s3://bucket/what?#is %20", S3Location("bucket", "what?#is %20")),
    ],
)
def test_a_place_on_s3_is_a_bucket_and_a_prefix(uri: str, place: S3Location):
    assert is_s3(uri)
    assert parse_s3(uri) == place
    assert parse_s3(place.uri) == place


@pytest.mark.parametrize(
    "uri",
    ["", "here", "/s3://x", "S3://x", "s3:/x", "s3://", "s3:///x", "s3://a b/x", "s3://_b", "s3://b/a/../c"],
)
def test_what_is_none_is_refused(uri: str):
    with pytest.raises(ConfigError):
        parse_s3(uri)


NAMES = st.text("ab/", max_size=5).map(lambda text: "/".join(filter(None, text.split("/"))))


@given(NAMES, NAMES)
def test_below_is_by_whole_names(one: str, other: str):
    holds = S3Location("b", one).holds(S3Location("b", other))
    assert holds == (other.split("/")[: len(one.split("/"))] == one.split("/") or not one)
    assert not S3Location("b", one).holds(S3Location("c", other))


@given(NAMES.filter(bool))
def test_a_key_is_what_its_uri_says(key: str):
    place = S3Location("b", "x")
    assert place.key_of(place.of(key)) == key


def test_nobody_else_knows_how_such_a_place_is_written():
    """The scheme is compared, cut off and put before names in lake/uri.py alone."""
    found = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in SOURCE.rglob("*.py")
        if path.relative_to(SOURCE).as_posix() != "lake/uri.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Constant) and node.value == "s3://")
        or (isinstance(node, ast.JoinedStr) and ast.unparse(node)[2:].startswith("s3://{"))
    ]
    assert found == []
