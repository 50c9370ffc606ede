"""`sparkify demo`: it shows everything, and says what it leaves."""

from __future__ import annotations

import json
import shlex
import subprocess
import tempfile
from pathlib import Path

import pytest

from sparkify.cli.demo import _command
from tests.cli.conftest import Run


def test_the_demo_says_what_it_leaves_and_how_to_remove_it(
    sparkify: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    done = sparkify("demo", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    folder = Path(told["folder"])
    assert folder.parent == tmp_path
    assert told["bytes"] == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    size = f"{told['bytes'] / 1e6:,.0f} MB"
    assert Path(told["report"]).parent == folder
    assert Path(told["report"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert told["report"] in done.err
    last = done.err.splitlines()[-1]
    assert last == f"All of it ({size}) stays there until you remove it: rm -r {folder}"
    subprocess.run(shlex.split(last.partition(": ")[2]), check=True)
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_fails_leaves_nothing(
    sparkify: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("sparkify.cli.demo._ask", fail)
    assert sparkify("demo").code == 130
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command installed below the current folder, and another of its name elsewhere."""
    for folder in ("my clone/.venv/bin", "other"):
        (tmp_path / folder).mkdir(parents=True)
        for name in ("sparkify", "python"):
            (tmp_path / folder / name).touch(0o755)
    monkeypatch.chdir(tmp_path / "my clone")
    bin_folder = tmp_path / "my clone/.venv/bin"
    monkeypatch.setattr("sys.executable", str(bin_folder / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "other"))
    return bin_folder


@pytest.mark.parametrize(
    "started", [".venv/bin/sparkify", "my clone/.venv/bin/sparkify", "sparkify/__main__.py"]
)
def test_what_it_suggests_starts_the_same_program(
    installed: Path, monkeypatch: pytest.MonkeyPatch, started: str
) -> None:
    root = installed.parents[1]
    monkeypatch.setattr("sys.argv", [started])
    if started.startswith("my clone"):
        monkeypatch.chdir(root.parent)
        assert shlex.split(_command()) == [started]
    else:
        assert _command() == ".venv/bin/sparkify"
    monkeypatch.chdir(installed)
    monkeypatch.setattr("sys.argv", ["./sparkify"])
    assert shlex.split(_command()) == [str(installed / "sparkify")]
    monkeypatch.setenv("PATH", str(installed))
    assert _command() == "sparkify"
    (installed / "sparkify").unlink()
    assert shlex.split(_command()) == [str(installed / "python"), "-m", "sparkify"]
