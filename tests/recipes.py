"""The recipes of CONTRIBUTING.md, as a person would carry them out.

A recipe is a number of fenced blocks, each with a comment before it that says what to do with the block::

    <!-- recipe: NAME, after `LINE` in PATH -->        insert the block behind that line
    <!-- recipe: NAME, replace `LINE` in PATH -->      put the block in its place
    <!-- recipe: NAME, new file PATH -->               write the block to a new file
    <!-- recipe: NAME, run -->                         the block's lines are commands, begun with ``$``

A line is given without what it is indented by, and stands once in its file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_STEP = re.compile(
    r"<!-- recipe: (?P<recipe>[\w-]+), (?P<action>after|replace|new file|run)"
    r"(?: `(?P<line>[^\n]+)` in)?(?: (?P<path>[\w./-]+))? -->\s*```\w*\n(?P<block>.*?)^```",
    re.DOTALL | re.MULTILINE,
)


class Step(NamedTuple):
    """One step: what to do (``action``), at which line of which file, with which text."""

    recipe: str
    action: str
    line: str
    path: str
    block: str

    @property
    def commands(self) -> list[str]:
        """What to run."""
        return [line.removeprefix("$ ") for line in self.block.splitlines()] if self.action == "run" else []

    def apply(self, root: Path) -> None:
        """Carry it out in a copy of the project; commands are left to the caller."""
        path = root / self.path
        if self.action == "new file":
            assert not path.exists(), f"{self.path} is there already"
            path.write_text(self.block, encoding="utf-8")
        elif self.action in ("after", "replace"):
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            at = self.find(lines)
            lines[at : at + 1] = [*([lines[at]] if self.action == "after" else []), self.block]
            path.write_text("".join(lines), encoding="utf-8")

    def find(self, lines: list[str]) -> int:
        """Return the number of its line, from 0; it must be the only one."""
        (only,) = [number for number, line in enumerate(lines) if line.strip() == self.line] or [-1]
        assert only >= 0, f"{self.path} has no line {self.line}"
        return only


def read_recipes(page: Path) -> dict[str, list[Step]]:
    """Return the steps of each recipe of a page, in order."""
    found: dict[str, list[Step]] = {}
    text = page.read_text(encoding="utf-8")
    for match in _STEP.finditer(text):
        step = Step(**{name: value or "" for name, value in match.groupdict().items()})
        found.setdefault(step.recipe, []).append(step)
    assert sum(map(len, found.values())) == text.count("\n<!-- recipe: "), "a step was not read"
    return found
