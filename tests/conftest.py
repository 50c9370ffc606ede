"""Fixtures many tests share: where the real data is, a run of the command, a real S3 server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tiers import longest_first, mark_slow
from tests.warehouses import MARKS, USER, Warehouses

ROOT = Path(__file__).resolve().parents[1]
# The tests start hundreds of programs: none is to compile what another one has compiled.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Real input is not part of the project: a clone has it beside itself, or says where.
REAL = Path(os.environ.get("SPARKIFY_TEST_DATA", ROOT.parent / "shared" / "data" / "small"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is not fast, before pytest chooses by marks, and begin with what takes longest."""
    mark_slow(items)
    longest_first(items)
    if USER != "owner":  # only what that makes a difference to
        others = [item for item in items if not _meets_redshift(item)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if _meets_redshift(item)]


def _meets_redshift(item: pytest.Item) -> bool:
    """Tell whether the commands of a test may come to a database on Redshift, and not as its owner."""
    given = getattr(getattr(item, "callspec", None), "params", {}).values()
    made = "warehouses" in getattr(item, "fixturenames", ()) and item.get_closest_marker("as_owner") is None
    return made and "duckdb" not in given


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note what the test needs of the database, before any of its fixtures makes a warehouse."""
    marks = {name: item.get_closest_marker(name) for name in MARKS}
    for name, mark in marks.items():
        assert mark is None or mark.args, f"{item.nodeid}: the mark {name} has no reason"
    Warehouses.marks = frozenset(name for name, mark in marks.items() if mark is not None)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the real ``log_data`` and ``song_data``."""
    if not REAL.is_dir():
        assert os.environ.get("CI") != "true", f"CI must have the real data, {REAL} is missing"
        pytest.skip(f"the real data is not at {REAL}; set SPARKIFY_TEST_DATA to its folder")
    return REAL


@dataclass(frozen=True)
class S3Server:
    """A running S3 server: buckets are the folders of ``root``."""

    endpoint: str
    root: Path
    key: str
    secret: str


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server on the loopback, one for the whole session."""
    root = tmp_path_factory.mktemp("s3")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key, secret = "TESTACCESSKEY", "test-secret-key"
    command = [str(Path(sys.executable).with_name("rclone")), "serve", "s3", str(root)]
    command += ["--addr", f"127.0.0.1:{port}", "--auth-key", f"{key},{secret}", "--dir-cache-time", "1ms"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert server.poll() is None, "the S3 server did not start"
                assert time.monotonic() < deadline, "the S3 server did not answer"
                time.sleep(0.05)
        yield S3Server(f"http://127.0.0.1:{port}", root, key, secret)
    finally:
        server.kill()  # asked to terminate, it waits for connections that stay open
        server.wait(10)


@pytest.fixture(scope="session")
def warehouses(s3: S3Server) -> Iterator[Warehouses]:
    """Makes empty warehouses on either engine, one stand-in for Redshift for the whole session."""
    made = Warehouses(s3)
    try:
        yield made
    finally:
        made.close()
