"""One resolution of region, credentials, token and endpoint, whoever asks S3."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import boto3
import pytest

from sparkify.cluster.credentials import connect
from sparkify.errors import ConfigError, SourceDenied, SourceError
from sparkify.lake.bucket import Bucket
from sparkify.lake.stores import open_store
from sparkify.lake.writer import Writer
from sparkify.settings import Settings, load_settings
from sparkify.settings.resolution import (
    DEFAULT_REGION,
    bucket_region,
    cluster_region,
    s3_access,
    s3_endpoint,
)
from sparkify.warehouse.connect import copy_region
from tests.conftest import S3Server
from tests.lake.regional import RegionalServer, regional

PROFILES = """\
[default]
region = eu-north-1
[profile other]
region = ap-south-1
endpoint_url = http://profile.test
[profile apart]
endpoint_url = http://profile.test
services = mine
[services mine]
s3 =
  endpoint_url = http://s3.profile.test
"""


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


@pytest.fixture
def aws(s3: S3Server) -> Iterator[RegionalServer]:
    with regional(s3.endpoint) as server:
        yield server


@pytest.fixture
def lake(s3: S3Server, aws: RegionalServer) -> str:
    """A bucket in us-west-2 with one object below log/."""
    name = f"dend-{uuid4().hex[:12]}"
    (s3.root / name / "log").mkdir(parents=True)
    (s3.root / name / "log" / "a.json").write_bytes(b"{}")
    aws.regions[name] = "us-west-2"
    return name


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "aws-config"
    path.write_text(PROFILES)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))


def settings_of(s3: S3Server, endpoint: str, **more: str) -> Settings:
    flags = {"AWS.KEY": s3.key, "AWS.SECRET": s3.secret, "AWS.ENDPOINT_URL": endpoint}
    return load_settings(Path(os.devnull), {}, flags | {k.replace("_", ".", 1): v for k, v in more.items()})


@pytest.mark.parametrize("variable", ["", "AWS_REGION", "AWS_DEFAULT_REGION"])
@pytest.mark.parametrize("more", [{}, {"AWS_REGION": "eu-west-1"}, {"S3_REGION": "us-west-2"}])
def test_the_buckets_region_is_found_whatever_the_clusters_is(
    s3: S3Server,
    aws: RegionalServer,
    lake: str,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    more: dict[str, str],
) -> None:
    """Case s3-default-region: KEY and SECRET alone read a bucket in us-west-2, whoever asks."""
    if variable:
        monkeypatch.setenv(variable, "eu-central-1")
    settings = settings_of(s3, aws.endpoint, **more)
    assert len(open_store(f"s3://{lake}/log", settings.aws).listing().objects) == 1
    writer = Writer(f"s3://{lake}/out", settings.aws)
    writer.put("b.json", b"{}")
    assert writer.keys() == ["b.json"]
    assert aws.signed_for == {"us-west-2"}
    client = connect(settings)
    assert client.region == more.get("AWS_REGION", "eu-central-1" if variable else DEFAULT_REGION)


def test_copy_names_the_region_of_the_buckets_and_not_the_clusters(
    s3: S3Server, aws: RegionalServer, lake: str
) -> None:
    aws.regions["elsewhere"] = "eu-west-1"
    more = {"AWS_REGION": "eu-north-1", "S3_LOG_DATA": f"s3://{lake}/log"}
    assert copy_region(settings_of(s3, aws.endpoint, **more)) == "us-west-2"
    with pytest.raises(ConfigError, match="LOG_DATA in us-west-2, STAGING in eu-west-1"):
        copy_region(settings_of(s3, aws.endpoint, S3_STAGING="s3://elsewhere/x", **more))


def test_a_region_that_is_wrong_is_named_with_the_right_one(
    s3: S3Server, aws: RegionalServer, lake: str
) -> None:
    settings = settings_of(s3, aws.endpoint, S3_REGION="eu-west-1")
    for attempt in (
        lambda: Bucket(f"s3://{lake}/log", settings.aws).listing(),
        lambda: Writer(f"s3://{lake}/log", settings.aws).put("x", b""),
    ):
        with pytest.raises(SourceError) as caught:
            attempt()
        assert "eu-west-1" in caught.value.message
        assert "us-west-2" in caught.value.message
        assert "[S3] REGION" in caught.value.hint


def test_a_server_that_tells_no_region_is_asked_for_the_clusters(s3: S3Server, aws: RegionalServer) -> None:
    (s3.root / "silent").mkdir(exist_ok=True)
    settings = settings_of(s3, aws.endpoint, AWS_REGION="eu-west-3")
    assert bucket_region(settings.aws, "silent") == "eu-west-3"


def test_s3_is_asked_once_for_a_bucket(s3: S3Server, aws: RegionalServer, lake: str) -> None:
    settings = settings_of(s3, aws.endpoint)
    for _ in range(3):
        open_store(f"s3://{lake}/log", settings.aws).listing()
    assert [request.method for request in aws.requests if not request.region] == ["HEAD"]


@pytest.mark.parametrize(
    ("flags", "environment", "expected"),
    [
        ({}, {}, "eu-north-1"),
        ({}, {"AWS_PROFILE": "other"}, "ap-south-1"),
        ({"AWS.PROFILE": "other"}, {"AWS_PROFILE": "default"}, "ap-south-1"),
        ({"AWS.PROFILE": "other"}, {"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({}, {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-2"}, "eu-west-2"),
        ({"AWS.REGION": "eu-west-3"}, {"AWS_REGION": "eu-west-2"}, "eu-west-3"),
        ({"AWS.KEY": "AKIAX", "AWS.SECRET": "x"}, {"AWS_REGION": "eu-west-2"}, "eu-west-2"),
    ],
)
@pytest.mark.usefixtures("profiles")
def test_the_clusters_region_comes_from_the_nearest_place(
    monkeypatch: pytest.MonkeyPatch, flags: dict[str, str], environment: dict[str, str], expected: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(Path(os.devnull), {}, flags)
    assert cluster_region(settings.aws) == expected
    assert connect(settings).region == expected


@pytest.mark.parametrize(
    ("flags", "environment", "expected"),
    [
        ({}, {}, ""),
        ({}, {"AWS_PROFILE": "other"}, "http://profile.test"),
        ({"AWS.PROFILE": "apart"}, {}, "http://s3.profile.test"),
        ({"AWS.PROFILE": "apart"}, {"AWS_ENDPOINT_URL": "http://all.test"}, "http://all.test"),
        (
            {},
            {"AWS_ENDPOINT_URL": "http://all.test", "AWS_ENDPOINT_URL_S3": "http://s3.test"},
            "http://s3.test",
        ),
        (
            {"AWS.ENDPOINT_URL": "http://cfg.test"},
            {"AWS_ENDPOINT_URL_S3": "http://s3.test"},
            "http://cfg.test",
        ),
        ({}, {"AWS_ENDPOINT_URL": "http://x", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, ""),
    ],
)
@pytest.mark.usefixtures("profiles")
def test_the_address_of_s3_comes_from_the_nearest_place(
    monkeypatch: pytest.MonkeyPatch, flags: dict[str, str], environment: dict[str, str], expected: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(Path(os.devnull), {}, flags)
    assert s3_endpoint(settings.aws) == expected
    if not settings.aws.endpoint_url:
        theirs = boto3.Session(profile_name=settings.aws.profile or None, region_name="eu-north-1").client(
            "s3"
        )
        assert theirs.meta.endpoint_url == (expected or "https://s3.eu-north-1.amazonaws.com"), "as AWS's own"


def test_what_is_no_url_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:9000")
    with pytest.raises(ConfigError, match="AWS_ENDPOINT_URL is 'localhost:9000'"):
        s3_endpoint(load_settings(Path(os.devnull)).aws)


def test_china_has_addresses_of_its_own() -> None:
    flags = {"AWS.KEY": "AKIAX", "AWS.SECRET": "x", "S3.REGION": "cn-north-1"}
    access = s3_access(load_settings(Path(os.devnull), {}, flags).aws, "b")
    assert access.endpoint == "https://s3.cn-north-1.amazonaws.com.cn"


def test_the_endpoint_of_the_environment_is_read(
    s3: S3Server, aws: RegionalServer, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case env-endpoint-url."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret)
    settings = load_settings(Path(os.devnull))
    assert len(open_store(f"s3://{lake}/log", settings.aws).listing().objects) == 1


FOREIGN = {
    "AWS_ACCESS_KEY_ID": "ASIAOTHER",
    "AWS_SECRET_ACCESS_KEY": "other",
    "AWS_SESSION_TOKEN": "token-of-ASIAOTHER",
}


def _who(server: RegionalServer) -> set[tuple[str, str]]:
    return {(request.key, request.token) for request in server.requests if request.key}


@pytest.mark.parametrize("token", ["", "token-of-ours"])
def test_the_files_keys_go_with_the_files_token_and_no_other(
    s3: S3Server, aws: RegionalServer, lake: str, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    """Case s3-env-session-token, for the lake, what we write and the cluster's commands."""
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)
    aws.tokens[s3.key] = token
    settings = settings_of(s3, aws.endpoint, AWS_SESSION_TOKEN=token)
    open_store(f"s3://{lake}/log", settings.aws).listing()
    Writer(f"s3://{lake}/out", settings.aws).put("b.json", b"{}")
    connect(settings).call("s3", "list_objects_v2", Bucket=lake)
    assert _who(aws) == {(s3.key, token)}


def test_without_keys_of_the_file_the_environments_go_with_their_token(
    s3: S3Server, aws: RegionalServer, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "theirs")
    aws.tokens[s3.key] = "theirs"
    settings = load_settings(Path(os.devnull), {}, {"AWS.ENDPOINT_URL": aws.endpoint})
    open_store(f"s3://{lake}/log", settings.aws).listing()
    assert _who(aws) == {(s3.key, "theirs")}


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        ({"AWS.KEY": "ASIAX", "AWS.SECRET": "x"}, "SESSION_TOKEN is empty"),
        ({"AWS.SESSION_TOKEN": "x"}, "KEY and SECRET, which it belongs to"),
        ({"AWS.KEY": "AKIAX"}, "SECRET is empty"),
    ],
)
def test_keys_and_token_that_do_not_belong_together_are_refused_by_all(
    monkeypatch: pytest.MonkeyPatch, flags: dict[str, str], names: str
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "somebody's")
    settings = load_settings(Path(os.devnull), {}, flags)
    for attempt in (
        lambda: Bucket("s3://lake/x", settings.aws),
        lambda: Writer("s3://lake/x", settings.aws),
        lambda: connect(settings),
    ):
        with pytest.raises(ConfigError, match=names):
            attempt()


def test_a_token_that_is_not_the_keys_is_told(s3: S3Server, aws: RegionalServer, lake: str) -> None:
    settings = settings_of(s3, aws.endpoint, AWS_SESSION_TOKEN="wrong")
    with pytest.raises(SourceDenied) as caught:
        open_store(f"s3://{lake}/log", settings.aws).listing()
    assert "SESSION_TOKEN" in caught.value.hint
    assert "REGION" not in caught.value.hint
