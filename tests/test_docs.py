"""The documentation is true: its commands are run, in order, and their output is the one shown.

What differs from run to run (seconds, speeds) is left out of the comparison. ``UPDATE_DOCS=1`` writes the
output of this run into the pages.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from sparkify.cli.app import COMMANDS, run
from tests.conftest import ROOT

PAGES = ("README.md", "docs/guide.md")
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def steady(text: str) -> str:
    """Return text without what differs from run to run."""
    text = re.sub(r"\b[\d,.]+ s\b( \([\d,]+ events/s\))?", "N s", text)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?", "TIME", text)


def play(block: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a block's commands; return the block as it should read."""
    lines = []
    for line in block.splitlines():
        if not line.startswith("$ "):
            continue
        words = shlex.split(line.removeprefix("$ "))
        assert words[0] == "sparkify", f"only our own command is run: {line}"
        code = run(words[1:])
        said = capsys.readouterr()
        assert code == 0, f"{line} gave {code}: {said.err}"
        lines += [line, *said.out.rstrip("\n").splitlines()]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("page", PAGES)
def test_commands_do_what_the_page_shows(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    shown = BLOCK.findall(text)
    assert shown, f"{page} shows no commands"
    ran = [play(block, capsys).replace(str(tmp_path), "/home/you") for block in shown]
    if os.environ.get("UPDATE_DOCS"):
        fresh = iter(ran)
        path.write_text(BLOCK.sub(lambda _: f"```console\n{next(fresh)}```", text), encoding="utf-8")
        return
    for before, after in zip(shown, ran, strict=True):
        assert steady(after) == steady(before)


def test_every_command_is_in_the_guide():
    guide = (ROOT / "docs/guide.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"sparkify {name}" not in guide] == []


def test_every_link_leads_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
