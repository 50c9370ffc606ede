"""The mission's scripts at the root: started outside the virtual environment they say how to start them."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SCRIPTS = (
    "create_cluster.py",
    "cluster_status.py",
    "open_incoming_port.py",
    "create_tables.py",
    "etl.py",
    "destroy_cluster.py",
)


def outside(script: Path | str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder, by a Python that knows nothing of what is installed."""
    command = [sys.executable, "-S", str(script), *arguments]
    return subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, check=False)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The scripts in a clone in which nothing was installed."""
    clone = tmp_path / "my clone"
    clone.mkdir()
    for path in ROOT.glob("*.py"):
        shutil.copy(path, clone)
    return clone


@pytest.mark.parametrize("script", SCRIPTS)
def test_from_any_folder_it_is_one_sentence_and_the_next_step(script: str, clone: Path, tmp_path: Path):
    done = outside(clone / script, "--json", "a b", folder=tmp_path)
    home, python, started = (
        shlex.quote(str(path)) for path in (clone, clone / ".venv/bin/python", clone / script)
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"Error: this Python ({sys.executable}) has no module sparkify.",
        f"Try: make -C {home} install && {python} {started} --json 'a b'",
    ]


def test_where_it_stands_the_next_step_is_short(clone: Path):
    done = outside("etl.py", "--plan", folder=clone)
    assert done.stderr.splitlines()[1] == "Try: make install && .venv/bin/python etl.py --plan"
    (clone / ".venv/bin").mkdir(parents=True)
    (clone / ".venv/bin/python").touch()
    done = outside("etl.py", "--plan", folder=clone)
    assert done.stderr.splitlines()[1] == "Try: .venv/bin/python etl.py --plan"
