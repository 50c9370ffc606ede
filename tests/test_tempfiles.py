"""What the spool promises: gone afterwards, a killed run's gone with the next one, a living run's never."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from sparkify import filelocks as held
from sparkify.tempfiles import open_temporary_folder

HOLD = """
import os, sys
from sparkify.tempfiles import open_temporary_folder
with open_temporary_folder() as spool:
    (spool / "part").write_bytes(b"x")
    print(spool, os.getpid(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_a_spool_is_empty_ours_alone_and_gone_afterwards(temporary: Path) -> None:
    with open_temporary_folder() as spool, open_temporary_folder() as other:
        assert spool.parent == other.parent == temporary
        assert spool != other
        assert not list(spool.iterdir())
        assert spool.stat().st_mode & 0o077 == 0
        (spool / "part").write_bytes(b"x")
    assert not list(temporary.iterdir())


def test_a_spool_is_gone_after_an_error(temporary: Path) -> None:
    def interrupted() -> None:
        with open_temporary_folder() as spool:
            (spool / "part").write_bytes(b"x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(temporary.iterdir())


def hold(*prefix: str, program: str = HOLD) -> subprocess.Popen[str]:
    command = [*prefix, sys.executable, "-c", program]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def first_line(run: subprocess.Popen[str]) -> str:
    assert run.stdout
    return run.stdout.readline().strip()


# Every process is number 1 in a container of its own, whose temporary folder is ours.
CONTAINER = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")


@pytest.fixture(params=["processes", "containers"])
def prefix(request: pytest.FixtureRequest) -> tuple[str, ...]:
    if request.param == "processes":
        return ()
    if not shutil.which("unshare") or subprocess.run([*CONTAINER, "true"], check=False).returncode:
        pytest.skip("no containers can be made here")
    return CONTAINER


def test_a_killed_runs_spool_is_removed_and_a_living_ones_is_not(
    temporary: Path, prefix: tuple[str, ...]
) -> None:
    """By its lock: in containers that share a folder, processes have the same number."""
    runs = [hold(*prefix), hold(*prefix)]
    try:
        told = [first_line(run).split() for run in runs]
        assert not prefix or [number for _, number in told] == ["1", "1"]
        killed, living = (Path(folder) for folder, _ in told)
        runs[0].kill()
        runs[0].wait(10)
        deadline = time.monotonic() + 10
        while killed.exists() and time.monotonic() < deadline:
            assert (killed / "part").exists()
            with hold(*prefix) as third:
                first_line(third)
                third.communicate()
        assert {path.name for path in temporary.iterdir()} == {living.name, f"{living.name}.lock"}
        assert (living / "part").exists()
        runs[1].communicate()
        assert not list(temporary.iterdir())
    finally:
        for run in runs:
            run.kill()
            run.communicate()


def test_a_spool_that_is_taken_for_left_over_before_it_is_locked_is_given_up(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run holds its lock at that moment, about to remove it: the next name is taken."""
    sweeps = "import sys; from sparkify import filelocks as held; from pathlib import Path\nwith held.left_over(Path(sys.argv[1])) as left:\n    print(left, flush=True)\n    sys.stdin.read()"  # noqa: E501
    locks = held._lock
    sweepers: list[subprocess.Popen[str]] = []
    held_by_it: list[Path] = []

    def lock(descriptor: int) -> None:
        if not sweepers:
            held_by_it.extend(temporary.iterdir())
            command = [sys.executable, "-c", sweeps, str(held_by_it[0])]
            sweepers.append(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            assert first_line(sweepers[0]) == "True"
        locks(descriptor)

    monkeypatch.setattr(held, "_lock", lock)
    with open_temporary_folder() as spool:
        names = {path.name for path in temporary.iterdir()}
        assert names == {spool.name, f"{spool.name}.lock"}
        assert held_by_it[0].stem != spool.name
    sweepers[0].communicate()
    assert not list(temporary.iterdir())


def test_runs_that_begin_and_sweep_at_once_leave_each_other_alone(temporary: Path) -> None:
    program = """
import secrets
from sparkify.tempfiles import open_temporary_folder
for _ in range(200):
    with open_temporary_folder() as spool:
        (spool / "part").write_bytes(b"x")
        assert (spool / "part").read_bytes() == b"x"
"""
    runs = [hold(program=program) for _ in range(4)]
    for run in runs:
        run.communicate()
    assert [run.returncode for run in runs] == [0] * 4
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    "name",
    [
        *("sparkify-spool-notes", "sparkify-spool-.lock", "sparkify-spool-0123456789abcdef", "other.lock"),
        *("sparkify-spool-0123456789abcdef.lock.bak", "sparkify-spool-0123456789ABCDEF.lock"),
    ],
)
def test_what_is_no_spool_is_left_alone(temporary: Path, name: str) -> None:
    (temporary / name).write_text("mine")
    (temporary / "sparkify-spool-fedcba9876543210.lock").mkdir()
    (temporary / "sparkify-spool-fedcba9876543211.lock").symlink_to(temporary / name)
    with open_temporary_folder():
        pass
    assert len(list(temporary.iterdir())) == 3
    assert (temporary / name).read_text() == "mine"
