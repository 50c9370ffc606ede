"""A probe tells what a run would meet, without reading, and leaves nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sparkify.errors import SourceDenied, SourceError, SourceNotFound, TransientSourceError
from sparkify.lake.bucket import Bucket
from sparkify.lake.folder import Folder
from sparkify.lake.store import Store
from sparkify.lake.writer import Writer
from tests.conftest import S3Server
from tests.lake.flaky import flaky
from tests.lake.test_bucket import QUICK, aws

FILES = {"data": ["a.json", "b.json"], "other": ["readme.txt"]}


@pytest.fixture(params=["folder", "bucket"])
def at(request: pytest.FixtureRequest, s3: S3Server, tmp_path: Path) -> Callable[[str], Store]:
    """Open a prefix of the same files, in a folder or a bucket."""
    root = tmp_path if request.param == "folder" else s3.root / f"probe-{tmp_path.name.replace('_', '-')}"
    for folder, names in FILES.items():
        (root / folder).mkdir(parents=True)
        for name in names:
            (root / folder / name).write_text("{}")

    def open_at(prefix: str) -> Store:
        if request.param == "folder":
            return Folder(str(root / prefix))
        return Bucket(f"s3://{root.name}/{prefix}", aws(s3.endpoint), QUICK)

    return open_at


def test_a_probe_gives_what_a_run_would_list(at):
    assert [item.key for item in at("data").probe().objects] == FILES["data"]


@pytest.mark.parametrize("prefix", ["nowhere", "other"])
def test_nothing_to_load_is_told(at, prefix: str):
    with pytest.raises(SourceNotFound):
        at(prefix).probe()


def test_a_bucket_that_may_be_listed_and_not_read_is_told(s3: S3Server):
    """s3:ListBucket and s3:GetObject are two permissions, and a run needs both."""
    (s3.root / "listed" / "data").mkdir(parents=True)
    (s3.root / "listed" / "data" / "a.json").write_text("{}")
    with flaky(s3.endpoint) as proxy:
        proxy.always["head"] = "internal"
        store = Bucket("s3://listed/data", aws(proxy.endpoint), QUICK)
        assert store.listing().objects
        with pytest.raises(TransientSourceError):
            store.probe()
        assert "read" not in proxy.requests


def test_a_place_that_may_be_written_is_left_as_it_was(s3: S3Server, tmp_path: Path):
    (s3.root / "written" / "kept").mkdir(parents=True)
    (s3.root / "written" / "kept" / "a").touch()
    for uri in ("s3://written/kept", str(tmp_path)):
        writer = Writer(uri, aws(s3.endpoint))
        before = writer.keys()
        assert writer.probe("x/probe") == f"{writer.uri} may be written"
        assert writer.keys() == before


def test_a_place_that_may_not_be_written_is_told(s3: S3Server):
    with pytest.raises(SourceNotFound):
        Writer("s3://nowhere-at-all/x", aws(s3.endpoint)).probe("probe")
    with pytest.raises(SourceDenied):
        Writer("s3://listed/x", aws(s3.endpoint, secret="wrong")).probe("probe")


def test_what_cannot_be_deleted_is_said_and_is_no_failure(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A run leaves it too, warns, and loads."""

    def refuse(*_: object) -> None:
        raise SourceError("no.", uri="x")

    monkeypatch.setattr(Writer, "remove", refuse)
    assert "but not emptied: no." in Writer(str(tmp_path), aws(s3.endpoint)).probe("probe")
