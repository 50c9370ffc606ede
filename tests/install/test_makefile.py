"""`make demo` in a fresh clone: with Python and make, and nothing else."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.install.conftest import ENVIRONMENT, call, copy_project


def write_program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A PATH on which python3 is too old and a shim of another version fails."""
    write_program(tmp_path / "bin" / "python3", 'case "$1" in -c) exit 1;; esac; echo Python 3.9.18')
    for version in ("3.11", "3.12", "3.13"):
        write_program(tmp_path / "bin" / f"python{version}", "echo no such version >&2; exit 127")
    return tmp_path / "bin"


def make(*words: str, path: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = ENVIRONMENT | {"PATH": f"{path}:/usr/bin:/bin"}
    command = ["make", "-f", str(ROOT / "Makefile"), *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What the Makefile looks at, and no .venv."""
    clone = tmp_path / "clone"
    (clone / "requirements").mkdir(parents=True)
    for name in ("pyproject.toml", "requirements/run.txt"):
        (clone / name).touch()
    return clone


def test_without_a_python_that_is_new_enough_it_says_so(old: Path, clone: Path):
    done = make("demo", path=old, cwd=clone)
    assert done.returncode == 2
    assert done.stderr.splitlines()[:2] == [
        "Error: Python >= 3.11 is needed; python3 --version says: Python 3.9.18",
        "Try: make demo PYTHON=/path/to/python3.11",
    ]
    assert not (clone / ".venv").exists()


def test_a_newer_python_beside_an_old_one_is_found(old: Path, clone: Path):
    write_program(old / "python3.12", f'exec {shlex.quote(sys.executable)} "$@"')
    done = make("-n", ".venv/.run", path=old, cwd=clone)
    assert done.returncode == 0, done.stderr
    assert "python3.12 -m venv .venv" in done.stdout


@pytest.mark.thorough
def test_the_demo_installs_what_it_needs_and_what_it_prints_can_be_pasted(tmp_path: Path):
    clone = copy_project(tmp_path / "my clone")
    done = call("make", "demo", cwd=clone, TMPDIR=str(tmp_path))
    assert [line[:4] for line in done.stdout.splitlines()[:3]] == ["1/3 ", "2/3 ", "3/3 "]
    assert not (clone / ".venv/bin/pytest").exists()
    _, _, advice = done.stdout.partition("Try next:\n")
    *commands, last = advice.splitlines()
    for command in [*commands, last.partition(": ")[2]]:
        call("sh", "-c", command, cwd=clone)
    assert list(tmp_path.glob("sparkify-demo-*")) == []
    call("make", "dist", cwd=clone)
    assert [path.suffix for path in sorted((clone / "dist").iterdir())] == [".whl", ".gz"]
