"""Installations of their own: the project's files as a clone has them, what it builds, empty environments."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT

VERSIONS = ("3.11", "3.12", "3.13")
# No setting of this run reaches a program under test but what pip needs to find packages.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("SPARKIFY_", "AWS_", "PYTEST_", "PYTHON", "MAKE", "MFLAGS"))
}


def call(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; it must succeed."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=cwd, env=ENVIRONMENT | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (
        f"{words} gave {done.returncode}:\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    )
    return done


def copy_project(target: Path) -> Path:
    """Copy what git has of the project, as it stands in the work tree."""
    if not (ROOT / ".git").exists():
        pytest.skip(f"{ROOT} is not a clone: nothing says which files are the project's")
    for name in call("git", "ls-files", "-z", cwd=ROOT).stdout.split("\0")[:-1]:
        if (ROOT / name).exists():  # else it is about to be removed
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the wheel and the sdist."""
    project = copy_project(tmp_path_factory.mktemp("project"))
    call(sys.executable, "-m", "hatchling", "build", cwd=project)
    return project / "dist"


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    (wheel,) = dist.glob("*.whl")
    return wheel


def find_python(version: str) -> Path:
    """Return an interpreter of a version that runs; skip the test where there is none.

    A version manager's shim on PATH may be there and fail, so each one found is tried.
    """
    name = f"python{version}"
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep)]
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    folders += sorted(versions.glob(f"{version}.*/bin"), reverse=True)
    program = "import ensurepip, sys; print('%d.%d' % sys.version_info[:2])"
    for python in (folder / name for folder in folders):
        if not python.is_file():
            continue
        done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return python
    pytest.skip(f"no {name} that runs is on PATH or below {versions}")


Install = Callable[..., Path]


def add_packages(programs: Path, requirements: Path) -> None:
    """Install locked requirements into an environment."""
    pip = (programs / "python", "-m", "pip", "install", "--quiet", "--no-compile")
    call(*pip, "--require-hashes", "-r", requirements, cwd=programs.parent)


@pytest.fixture
def install(tmp_path: Path, wheel: Path) -> Install:
    """Make an environment with locked requirements and the wheel; return its folder of programs."""

    def make(python: Path, requirements: str) -> Path:
        programs = tmp_path / "env with a blank" / "bin"
        call(python, "-m", "venv", programs.parent, cwd=tmp_path)
        add_packages(programs, ROOT / "requirements" / requirements)
        pip = (programs / "python", "-m", "pip", "install", "--quiet", "--no-compile")
        call(*pip, "--no-index", "--no-deps", wheel, cwd=tmp_path)
        return programs

    return make
