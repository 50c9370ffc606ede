"""What is published: the wheel has all of the package, and the sdist all of the project."""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.install.conftest import call

pytestmark = pytest.mark.thorough


def members(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_has_every_file_of_the_package(wheel: Path, dist: Path):
    source = dist.parent / "src"
    package = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    assert {name for name in members(wheel) if ".dist-info/" not in name} == package


def test_the_sdist_has_every_file_of_the_project_and_builds_the_same_wheel(
    wheel: Path, dist: Path, tmp_path: Path
):
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        # Python before 3.11.4 has no filters; later ones want to be told one.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(tmp_path)
    (unpacked,) = tmp_path.iterdir()
    files = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()} - {
        "PKG-INFO"
    }
    assert files == set(call("git", "ls-files", cwd=ROOT).stdout.splitlines())
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", cwd=unpacked)
    (again,) = (unpacked / "dist").glob("*.whl")
    assert members(again) == members(wheel)
