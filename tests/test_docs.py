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

from sparkify import errors
from sparkify.cli.app import COMMANDS, run
from sparkify.records import KINDS
from sparkify.settings.keys import KEYS
from sparkify.warehouse import tables
from tests.conftest import ROOT
from tests.recipes import Step, read_recipes

PAGES = ("README.md", "docs/guide.md", "docs/fields.md", "docs/models.md", "docs/erasure.md")
EVERY_PAGE = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
RECIPES = read_recipes(CONTRIBUTING)
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
# What stands in a file that a page has its reader write: its name in a line of its own, then the block.
WRITTEN = re.compile(r"^`([\w./-]+)`:\n\n```(?:ini|sql|csv)\n(.*?)```", re.DOTALL | re.MULTILINE)


def steady(text: str) -> str:
    """Return text without what differs from run to run."""
    text = re.sub(r"(Wrote the report to \S+) \(.+? KB\)", r"\1 (N KB)", text)
    text = re.sub(r"of this version \(\d+\)", "of this version (N)", text)
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
    files = [(found.start(), found[1], found[2]) for found in WRITTEN.finditer(text)]
    ran = []
    for block in BLOCK.finditer(text):
        for start, name, contents in files:
            if start < block.start():
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).write_text(contents, encoding="utf-8")
        ran.append(play(block[1], capsys).replace(str(tmp_path), "/home/you"))
    if os.environ.get("UPDATE_DOCS"):
        fresh = iter(ran)
        path.write_text(BLOCK.sub(lambda _: f"```console\n{next(fresh)}```", text), encoding="utf-8")
        return
    for before, after in zip(shown, ran, strict=True):
        assert steady(after) == steady(before)


def test_every_command_is_in_the_guide():
    guide = (ROOT / "docs/guide.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"sparkify {name}" not in guide] == []


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def heads(page: Path) -> set[str]:
    """Return the names by which a page's headings are linked to."""
    found = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", head).lower() for head in found)
    return {re.sub(r"[^\w -]", "", head).strip().replace(" ", "-") for head in plain}


@pytest.mark.parametrize("page", EVERY_PAGE, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path):
    for target, head in re.findall(r"\]\(([^)#:\s]*)(?:#([^)]+))?\)", prose(page)):
        other = page.parent / target if target else page
        assert other.exists(), f"{page.name}: {target}"
        if head and page.name != "CHANGELOG.md":
            assert head in heads(other), f"{page.name}: {target}#{head}"


# What a page names in backticks as a file or folder of ours: with a slash, or a suffix we use.
NAMED = re.compile(r"`([\w.-]+(?:/[\w.-]+)*/?)`")
OURS = ("src/", "tests/", "tools/", "docs/", "requirements/", "benchmarks/")
LAYERS = {path.name for path in (ROOT / "src" / "sparkify").iterdir() if path.is_dir()}
# In examples, or made by those who follow a page.
NOT_YET = {
    "src/sparkify/sql/tables/NAME.sql",
    "src/sparkify/sql/star/NAME.sql",
    "src/sparkify/cli/NAME.py",
    "src/sparkify/sql/migrations/NNNN_name.sql",
    "src/sparkify/warehouse/NAME",
    "src/sparkify/sql/derived/ads.sql",
    "src/sparkify/sql/touch/ads_accepted.sql",
    "tests/fixtures/warehouses/v1",
    "tests/fixtures/warehouses/vN",
}


@pytest.mark.parametrize("page", EVERY_PAGE, ids=lambda page: page.name)
def test_every_file_a_page_names_is_there(page: Path):
    """From the project's root, or below the package, as most of docs names modules."""
    if page.name == "CHANGELOG.md":  # of releases that had other files
        return
    wrong = []
    for name in set(NAMED.findall(prose(page))) - NOT_YET:
        if name.startswith(OURS):
            places = [ROOT / name]
        elif name.partition("/")[0] in LAYERS and "/" in name:
            places = [ROOT / "src" / "sparkify" / name]
        elif name.endswith(".py"):
            places = [ROOT / name, ROOT / "src" / "sparkify" / name, *(ROOT / "tools").rglob(name)]
        else:
            continue
        if not any(place.exists() for place in places):
            wrong.append(name)
    assert wrong == []


def test_the_architecture_names_every_layer_and_every_module_of_a_run():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    package = ROOT / "src" / "sparkify"
    layers = {path.name for path in package.iterdir() if path.is_dir()} - {"__pycache__"}
    assert [name for name in sorted(layers) if f"`{name}/" not in text] == []
    single = {path.name for path in package.glob("[a-z]*.py")}
    assert [name for name in sorted(single) if f"`{name}`" not in text] == []
    pipeline = {f"pipeline/{path.name}" for path in (package / "pipeline").glob("[a-z]*.py")}
    assert sorted(name for name in pipeline - {"pipeline/progress.py"} if f"`{name}`" not in text) == []


def test_the_glossary_is_in_order_and_has_the_words_of_the_house():
    _, _, glossary = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## Glossary")
    words = re.findall(r"^\| \*\*(.+?)\*\*", glossary, re.MULTILINE)
    assert words == sorted(words)
    assert {"lake", "kind", "landing", "staging", "star", "marks", "rejected", "run", "scope"} <= set(words)


def test_the_readme_names_every_table_and_the_guide_every_kinds_setting():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in tables.all_tables() if f"`{name}`" not in readme] == []
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    assert [kind.setting for kind in KINDS if kind.setting not in guide] == []


def test_every_exit_code_is_in_the_readme():
    codes = {errors.OK, errors.FAILED, errors.USAGE, errors.CHECKS_FAILED, errors.WANTS_A_LOOK}
    codes |= {errors.INTERRUPTED, errors.TERMINATED}
    said = re.search(r"Exit codes: (.*?)\.\n", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert said
    assert {int(code) for code in re.findall(r"\b\d+\b", said[1])} == codes


@pytest.mark.parametrize("page", ["docs/redshift.md", "docs/redshift-double.md", "docs/cluster.md"])
def test_every_setting_a_page_shows_is_one(page: str):
    """Of the keys in its examples of dwh.cfg and of those it names with their section."""
    text = (ROOT / page).read_text(encoding="utf-8")
    known = {(key.section, key.name) for key in KEYS}
    named = set(re.findall(r"`\[([A-Z_]+)\] ([A-Z_]+)`", text))
    assert named <= known


@pytest.mark.parametrize(
    "step",
    [step for steps in RECIPES.values() for step in steps],
    ids=lambda step: f"{step.recipe}-{step.path}",
)
def test_a_recipe_begins_from_the_code_as_it_is(step: Step):
    """Every line it names stands once in its file, and what it writes is not there yet."""
    if step.action == "new file":
        assert not (ROOT / step.path).exists()
        assert (ROOT / step.path).parent.is_dir()
        numbers = [int(path.name[:4]) for path in (ROOT / step.path).parent.glob("[0-9]*.sql")]
        assert int(Path(step.path).name[:4]) == max(numbers) + 1
    elif step.action != "run":
        step.find((ROOT / step.path).read_text(encoding="utf-8").splitlines())


def test_there_are_the_recipes_that_are_promised():
    assert {"column", "kind"} <= set(RECIPES)
    for steps in RECIPES.values():
        assert steps[-1].commands == ["make generate"]


def test_decisions_are_numbered_and_dated():
    records = re.findall(
        r"^## (\d+)\. .+\n\n(\d{4}-\d\d-\d\d)\. \*\*Decision\.\*\* ",
        (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    text = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    assert records
    assert len(records) == len(re.findall(r"^## ", text, re.MULTILINE)) - 1  # all but the table of libraries
    assert [int(number) for number, _ in records] == list(range(1, len(records) + 1))


def test_the_changelog_is_kept():
    """Keep a Changelog: Unreleased first, then versions with their dates, with its own headings."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert [
        name for name in versions[1:] if not re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", name)
    ] == []
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
