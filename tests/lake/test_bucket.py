"""What an S3 bucket promises, against a real S3 server on the loopback."""

from __future__ import annotations

import gzip
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest

from sparkify.errors import (
    ConfigError,
    SourceChanged,
    SourceDenied,
    SourceError,
    SourceNotFound,
    TransientSourceError,
)
from sparkify.lake.bucket import Bucket, RetryPolicy
from sparkify.lake.folder import Folder
from sparkify.lake.store import LakeObject, read_all
from sparkify.lake.stores import open_store
from sparkify.settings import AwsSettings, Secret, load_settings
from tests.conftest import S3Server
from tests.lake.flaky import Fault, FlakyServer, Target, flaky

CANARY = "canary-secret-0123456789"
QUICK = RetryPolicy(retries=4, first_wait=0.01, longest_wait=0.05)
# Larger than any buffer between the server and us, so that half of it is really half.
BODY = os.urandom(1_000_000)


def aws(endpoint: str, key: str = "TESTACCESSKEY", secret: str = "test-secret-key") -> AwsSettings:
    # The region is given: what asking for it comes to is test_regions' to say.
    return AwsSettings(Secret(key), Secret(secret), "", "", endpoint, bucket_region="us-east-1")


@pytest.fixture
def lake(s3: S3Server) -> Path:
    """The folder of a fresh bucket."""
    root = s3.root / f"lake-{uuid4().hex[:12]}"
    root.mkdir()
    return root


@pytest.fixture
def bucket(s3: S3Server, lake: Path) -> Callable[..., Bucket]:
    """Open the fresh bucket at a prefix."""

    def at(prefix: str = "", **settings: str) -> Bucket:
        return Bucket(f"s3://{lake.name}/{prefix}", aws(**{"endpoint": s3.endpoint, **settings}), QUICK)

    return at


@pytest.fixture
def proxy(s3: S3Server) -> Iterator[FlakyServer]:
    with flaky(s3.endpoint) as server:
        yield server


def write(root: Path, files: dict[str, bytes]) -> None:
    for key, data in files.items():
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


ODD_NAMES = [
    "a b",
    "ü é",
    "p%20q",
    "plus+",
    "quo'te",
    'dou"ble',
    "ha#sh",
    "q?m",
    "am&p",
    "[br]",
    "co:lon",
    "日本",
]


def test_a_folder_and_a_bucket_give_the_same_listing_and_bytes(
    lake: Path, bucket: Callable[..., Bucket], tmp_path: Path
) -> None:
    files = {f"song_data/A/B/{name}.json": name.encode() for name in ODD_NAMES}
    files |= {f"song_data/A/{letter}/{n}.json": b"{}" * n for letter in "CDE" for n in range(1, 6)}
    files |= {
        "song_data/top.jsonl": b"{}",
        "song_data/z.ndjson.gz": gzip.compress(b"{}"),
        "song_data/_SUCCESS": b"",
        "song_data/A/._x.json": b"junk",
        "song_data/.ipynb_checkpoints/a-checkpoint.json": b"junk",
        "song_data/readme.txt": b"hello",
    }
    write(lake, files)
    write(tmp_path, files)
    folder, remote = Folder(str(tmp_path / "song_data")), bucket("song_data")
    here, there = folder.listing(), remote.listing()

    assert [(item.key, item.size) for item in there.objects] == [
        (item.key, item.size) for item in here.objects
    ]
    assert there.ignored == here.ignored
    assert here.ignored == sorted(
        [".ipynb_checkpoints/a-checkpoint.json", "A/._x.json", "_SUCCESS", "readme.txt"]
    )
    expected = [
        (key.removeprefix("song_data/"), data)
        for key, data in sorted(files.items())
        if key.removeprefix("song_data/") not in here.ignored
    ]
    for store, listing in ((folder, here), (remote, there)):
        read = [(item.key, data) for item, data in read_all(store, listing.objects)]
        assert read == expected


def test_real_data_reads_the_same_from_both(
    real_data: Path, lake: Path, bucket: Callable[..., Bucket]
) -> None:
    shutil.copytree(real_data, lake / "real")
    folder, remote = Folder(str(real_data)), bucket("real")
    here = [(item.key, data) for item, data in read_all(folder, folder.listing().objects)]
    there = [(item.key, data) for item, data in read_all(remote, remote.listing().objects)]
    assert len(here) == 101
    assert here == there


def test_a_prefix_ends_at_its_slash(lake: Path, bucket: Callable[..., Bucket]) -> None:
    """COPY's FROM would take log_data_old with log_data."""
    write(lake, {"log_data/1.json": b"{}", "log_data_old/2.json": b"{}", "log_data.json": b"{}"})
    for prefix in ("log_data", "log_data/", "/log_data/"):
        assert [item.uri for item in bucket(prefix).listing().objects] == [
            f"s3://{lake.name}/log_data/1.json"
        ]


@pytest.mark.parametrize("prefix", ["d/one.json", "one.json"])
def test_the_name_of_one_object_is_a_lake_of_one(
    lake: Path, bucket: Callable[..., Bucket], prefix: str
) -> None:
    write(lake, {prefix: b"{}", "d/one.json.gz": b"other"})
    store = bucket(prefix)
    (item,) = store.listing().objects
    assert (item.uri, item.key) == (f"s3://{lake.name}/{prefix}", "one.json")
    assert store.read(item) == b"{}"


@pytest.mark.parametrize("wide", [3, 30])
def test_deep_prefixes_are_listed_whole_and_once(
    lake: Path, bucket: Callable[..., Bucket], wide: int
) -> None:
    keys = [
        f"A/{chr(65 + a)}/{chr(65 + b)}/{n}.json" for a in range(wide) for b in range(3) for n in range(2)
    ]
    keys += [f"A/{chr(65 + a)}/between.json" for a in range(wide)] + ["A/top.json"]
    write(lake, {f"song_data/{key}": b"{}" for key in keys})
    for prefix in ("", "song_data", "song_data/A"):
        root = f"s3://{lake.name}/{prefix}".rstrip("/") + "/"
        listed = [item.uri for item in bucket(prefix).listing().objects]
        assert listed == sorted(f"s3://{lake.name}/song_data/{key}" for key in keys)
        assert all(uri.startswith(root) for uri in listed)


def test_too_many_prefixes_are_listed_by_pages_and_not_one_by_one(
    lake: Path, proxy: FlakyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sparkify.lake.bucket._MOST_PREFIXES", 10)
    write(lake, {f"songs/{n}/song.json": b"{}" for n in range(30)} | {"songs/top.json": b"{}"})
    listing = Bucket(f"s3://{lake.name}/songs", aws(proxy.endpoint), QUICK).listing()
    assert len(listing.objects) == 31
    assert proxy.requests == ["list", "list"]


@pytest.mark.parametrize("prefix", ["nothing", "empty", ""])
def test_a_prefix_without_objects_is_not_found(
    lake: Path, bucket: Callable[..., Bucket], prefix: str
) -> None:
    (lake / "empty").mkdir()
    with pytest.raises(SourceNotFound) as caught:
        bucket(prefix).listing()
    assert caught.value.uri == f"s3://{lake.name}/{prefix}".rstrip("/")
    assert caught.value.exit_code == 1


def test_a_missing_bucket_is_named(s3: S3Server) -> None:
    with pytest.raises(SourceNotFound, match="no-such-bucket") as caught:
        Bucket("s3://no-such-bucket/x", aws(s3.endpoint), QUICK).listing()
    assert caught.value.uri == "s3://no-such-bucket/x"


@pytest.mark.parametrize("key", [{"secret": CANARY}, {"key": "WRONGACCESSKEY", "secret": CANARY}])
def test_wrong_keys_are_denied_and_never_shown(
    lake: Path,
    bucket: Callable[..., Bucket],
    key: dict[str, str],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    write(lake, {"x/a.json": b"{}"})
    with caplog.at_level(logging.DEBUG), pytest.raises(SourceDenied) as caught:
        bucket("x", **key).listing()
    shown = "".join([repr(caught.value), caught.value.hint, str(caught.value.__cause__), caplog.text])
    assert CANARY not in shown + "".join(capfd.readouterr())
    assert caught.value.uri == f"s3://{lake.name}/x"
    assert "403" in str(caught.value)


def test_a_server_that_is_down_is_a_transient_error_after_the_retries() -> None:
    with pytest.raises(TransientSourceError) as caught:
        Bucket("s3://lake/x", aws("http://127.0.0.1:9", secret=CANARY), QUICK).listing()
    assert caught.value.uri == "s3://lake/x"
    assert CANARY not in f"{caught.value!r} {caught.value.hint} {caught.value.__cause__}"


@pytest.mark.parametrize(
    "uri", ["s3://", "s3:///x", "s3://a b/x", "s3://a?b/x", "s3://lake/a//b", "s3://lake/../b"]
)
def test_what_cannot_be_a_bucket_is_a_configuration_error(uri: str) -> None:
    with pytest.raises(ConfigError):
        open_store(uri, aws("http://127.0.0.1:9"))


@pytest.mark.parametrize(("key", "secret"), [("AKIA", ""), ("", "secret")])
def test_half_of_the_keys_is_a_configuration_error(key: str, secret: str) -> None:
    with pytest.raises(ConfigError, match="is empty while the other is set"):
        Bucket("s3://lake/x", AwsSettings(Secret(key), Secret(secret), "", "", ""))


@pytest.mark.parametrize("how", ["read", "local_path"])
def test_an_object_that_changed_after_listing_is_never_loaded(
    lake: Path, bucket: Callable[..., Bucket], tmp_path: Path, how: str
) -> None:
    """Also when its size is the same, and also when it is gone."""
    write(lake, {"x/same.json": b"1111", "x/grown.json": b"1", "x/gone.json": b"1"})
    store = bucket("x")
    listed = store.listing().objects
    write(lake, {"x/same.json": b"2222", "x/grown.json": b"11"})
    (lake / "x" / "gone.json").unlink()
    for item in listed:
        with pytest.raises(SourceChanged) as caught:
            get(store, item, how, tmp_path)
        assert caught.value.uri == item.uri


def test_a_local_copy_keeps_the_suffix_that_tells_the_compression(
    lake: Path, bucket: Callable[..., Bucket], tmp_path: Path
) -> None:
    long = "/".join(["d" * 100] * 4)
    dots = f"z/n.{'s' * 235}.json"
    write(lake, {f"x/{long}/1.json.gz": b"a", "x/2.json": b"b", "y/2.json": b"c", dots: b"d"})
    store = bucket("")
    paths = {item.key: store.local_path(item, tmp_path) for item in store.listing().objects}
    assert {path.read_bytes() for path in paths.values()} == {b"a", b"b", b"c", b"d"}
    assert all(path.parent == tmp_path for path in paths.values())
    assert paths[f"x/{long}/1.json.gz"].name.endswith(".json.gz")


def get(store: Bucket, item: LakeObject, how: str, spool: Path) -> bytes:
    return store.read(item) if how == "read" else store.local_path(item, spool).read_bytes()


@pytest.fixture
def spoiled(lake: Path, proxy: FlakyServer) -> tuple[Bucket, LakeObject]:
    """A bucket behind the proxy, and its one object, listed."""
    write(lake, {"x/body.json": BODY})
    store = Bucket(f"s3://{lake.name}/x", aws(proxy.endpoint), QUICK)
    (item,) = store.listing().objects
    proxy.requests.clear()
    return store, item


FAULTS: list[list[Fault]] = [
    ["slow-down", "slow-down", "slow-down"],
    ["internal"],
    ["reset", "reset"],
    ["cut"],
    ["cut", "cut", "cut"],
    ["slow-down", "cut", "reset"],
]


@pytest.mark.parametrize("how", ["read", "local_path"])
@pytest.mark.parametrize("faults", FAULTS, ids="+".join)
def test_reads_outlast_a_failing_store(
    spoiled: tuple[Bucket, LakeObject], proxy: FlakyServer, tmp_path: Path, faults: list[Fault], how: str
) -> None:
    store, item = spoiled
    proxy.faults["read"] = list(faults)
    assert get(store, item, how, tmp_path) == BODY
    assert proxy.requests.count("read") == len(faults) + 1


@pytest.mark.parametrize("how", ["read", "local_path"])
def test_a_connection_that_falls_silent_is_given_up_and_resumed(
    lake: Path, proxy: FlakyServer, tmp_path: Path, how: str
) -> None:
    write(lake, {"x/body.json": BODY})
    store = Bucket(f"s3://{lake.name}/x", aws(proxy.endpoint), replace(QUICK, silence=1))
    (item,) = store.listing().objects
    proxy.faults["read"] = ["stall"]
    assert get(store, item, how, tmp_path) == BODY
    assert proxy.requests.count("read") >= 2


def test_a_slow_body_is_no_failure(lake: Path, proxy: FlakyServer, tmp_path: Path) -> None:
    """Silence is bounded and not the time a body takes, which may be large and the line slow."""
    write(lake, {"x/body.json": BODY})
    store = Bucket(f"s3://{lake.name}/x", aws(proxy.endpoint), replace(QUICK, silence=1))
    (item,) = store.listing().objects
    proxy.faults["read"] = ["dribble"]  # 1.5 s in all, never silent for 1 s
    assert store.local_path(item, tmp_path).read_bytes() == BODY
    assert proxy.requests.count("read") == 1


@pytest.mark.parametrize("how", ["read", "local_path"])
@pytest.mark.parametrize("fault", ["slow-down", "internal", "reset", "cut"])
def test_reads_give_up_after_a_bound(
    spoiled: tuple[Bucket, LakeObject], proxy: FlakyServer, tmp_path: Path, fault: Fault, how: str
) -> None:
    store, item = spoiled
    proxy.always["read"] = fault
    with pytest.raises(TransientSourceError) as caught:
        get(store, item, how, tmp_path)
    assert caught.value.uri == item.uri
    assert proxy.requests.count("read") == QUICK.retries + 1


@pytest.mark.parametrize("how", ["read", "local_path"])
def test_an_object_replaced_while_its_read_is_resumed_is_never_half_loaded(
    lake: Path, proxy: FlakyServer, tmp_path: Path, how: str
) -> None:
    write(lake, {"x/body.json": BODY})
    store = Bucket(f"s3://{lake.name}/x", aws(proxy.endpoint), QUICK)
    (item,) = store.listing().objects
    proxy.faults["read"] = ["cut"]
    proxy.after_fault = lambda: write(lake, {"x/body.json": BODY[::-1]})
    with pytest.raises(SourceError) as caught:
        get(store, item, how, tmp_path)
    assert caught.value.uri == item.uri


@pytest.mark.parametrize(
    ("target", "faults"),
    [("list", faults) for faults in FAULTS] + [("head", ["slow-down"]), ("head", ["reset", "internal"])],
)
def test_listings_outlast_a_failing_store(
    lake: Path, proxy: FlakyServer, faults: list[Fault], target: Target
) -> None:
    write(lake, {f"x/{n}.json": b"{}" for n in range(20)} | {"one.json": b"{}"})
    name, count = ("x", 20) if target == "list" else ("one.json", 1)
    proxy.faults[target] = list(faults)
    store = Bucket(f"s3://{lake.name}/{name}", aws(proxy.endpoint), QUICK)
    assert len(store.listing().objects) == count
    assert not proxy.faults[target]


def test_listings_give_up_after_a_bound(lake: Path, proxy: FlakyServer) -> None:
    write(lake, {"x/1.json": b"{}"})
    proxy.always["list"] = "cut"
    with pytest.raises(TransientSourceError):
        Bucket(f"s3://{lake.name}/x", aws(proxy.endpoint), QUICK).listing()
    assert proxy.requests.count("list") == QUICK.retries + 1


def test_many_reads_through_a_store_that_fails_now_and_then_are_all_right(
    lake: Path, proxy: FlakyServer
) -> None:
    files = {f"x/{n:03}.json": f'{{"n": {n}}}'.encode() for n in range(200)}
    write(lake, files)
    store = Bucket(f"s3://{lake.name}/x", aws(proxy.endpoint), QUICK)
    proxy.faults["read"] = ["slow-down", "reset", "cut", "internal"] * 5
    read = {f"x/{item.key}": data for item, data in read_all(store, store.listing().objects)}
    assert read == files


def answer(status: int, body: str) -> type[BaseHTTPRequestHandler]:
    class Canned(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    return Canned


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (301, "<Error><Code>PermanentRedirect</Code></Error>", SourceError),
        (400, "<Error><Code>AuthorizationHeaderMalformed</Code></Error>", SourceError),
        (403, "<Error><Code>AccessDenied</Code></Error>", SourceDenied),
    ],
    ids=["another region", "region in the signature", "denied"],
)
def test_answers_of_aws_that_the_local_server_does_not_give(
    status: int, body: str, kind: type[SourceError]
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), answer(status, body)) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            endpoint = f"http://127.0.0.1:{server.server_address[1]}"
            with pytest.raises(kind) as caught:
                Bucket("s3://lake/x", aws(endpoint), QUICK).listing()
        finally:
            server.shutdown()
    assert type(caught.value) is kind
    assert caught.value.hint


def test_without_keys_the_standard_chain_is_used(
    s3: S3Server, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(lake, {"x/a.json": b"{}"})
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret)
    settings = load_settings(flags={"AWS.ENDPOINT_URL": s3.endpoint})
    assert len(open_store(f"s3://{lake.name}/x", settings.aws).listing().objects) == 1


def test_no_keys_anywhere_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with pytest.raises(ConfigError):
        Bucket("s3://lake/x", AwsSettings(Secret(), Secret(), "", "", "")).listing()
    with pytest.raises(ConfigError, match="nobody"):
        Bucket("s3://lake/x", AwsSettings(Secret(), Secret(), "", "nobody", "")).listing()
