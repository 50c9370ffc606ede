"""What the spool promises: gone afterwards, a killed run's gone with the next one, a living run's never."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sparkify.lake.spool import open_spool

HOLD = """
import sys
from sparkify.lake.spool import open_spool
with open_spool() as spool:
    (spool / "part").write_bytes(b"x")
    print(spool, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_a_spool_is_empty_ours_alone_and_gone_afterwards(temporary: Path) -> None:
    with open_spool() as spool, open_spool() as other:
        assert spool.parent == other.parent == temporary
        assert spool != other
        assert not list(spool.iterdir())
        assert spool.stat().st_mode & 0o077 == 0
        (spool / "part").write_bytes(b"x")
    assert not list(temporary.iterdir())


def test_a_spool_is_gone_after_an_error(temporary: Path) -> None:
    def interrupted() -> None:
        with open_spool() as spool:
            (spool / "part").write_bytes(b"x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(temporary.iterdir())


def test_a_killed_runs_spool_is_removed_and_a_living_ones_is_not(temporary: Path) -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        killed, living = (Path(run.stdout.readline().strip()) for run in runs if run.stdout)
        runs[0].kill()
        runs[0].wait(10)
        assert killed.is_dir()
        with open_spool():
            assert not killed.exists()
            assert (living / "part").exists()
    finally:
        for run in runs:
            run.kill()
            run.communicate()


@pytest.mark.parametrize(
    "name",
    [
        *("sparkify-spool-notes", "sparkify-spool-", "sparkify-1-x", "other-1"),
        *("sparkify-spool-2999999 of October", "sparkify-spool-99999999999999999999-x"),
    ],
)
def test_folders_that_are_no_spools_are_left_alone(temporary: Path, name: str) -> None:
    (temporary / name).mkdir()
    with open_spool():
        pass
    assert (temporary / name).is_dir()
