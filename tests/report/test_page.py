"""The page: one file, every text of the warehouse in it is text, and it is written where nothing is lost."""

from __future__ import annotations

import json
import re
import webbrowser
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sparkify.cli.app import run
from sparkify.report import page as pages
from sparkify.text import visible
from tests.old_warehouses import restore
from tests.records import play, write_records
from tests.report.conftest import HOSTILE
from tests.warehouses import options_of


class Parsed(HTMLParser):
    """Elements by name with their attributes, the text of table cells, and JSON beside them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []
        self.data: dict[str, str] = {}
        self._in: tuple[str, dict[str, str | None]] = ("", {})
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in = (tag, dict(attrs))
        self.tags.append(self._in)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        tag, attributes = self._in
        if tag in ("td", "th"):
            self.cells[-1] += data
        elif tag == "script" and attributes.get("type") == "application/json":
            name = str(attributes["id"])
            self.data[name] = self.data.get(name, "") + data


def test_what_came_from_logs_is_text(page: Path):
    found = Parsed(page.read_text(encoding="utf-8"))
    scripts = [attributes for tag, attributes in found.tags if tag == "script"]
    assert [each for each in scripts if each.get("type") != "application/json"] == [{}, {}, {}]
    assert not [tag for tag, _ in found.tags if tag in ("img", "link", "iframe", "base", "object")]
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    cells = {cell.strip() for cell in found.cells}
    songs = {row[2] for row in json.loads(found.data["data-top_songs"])["rows"]}
    for text in HOSTILE:
        assert visible(text) in cells
        assert text in songs


def test_nothing_in_it_refers_to_another_place(page: Path):
    found = Parsed(page.read_text(encoding="utf-8"))
    named = [attributes.get(name) for _, attributes in found.tags for name in ("src", "href")]
    assert [each for each in named if each and not each.startswith("#")] == []
    (policy,) = (each["content"] for tag, each in found.tags if tag == "meta" and "http-equiv" in each)
    assert policy
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy.partition("style-src")[0]


def test_links_lead_to_headings_and_every_table_has_heads(page: Path):
    text = page.read_text(encoding="utf-8")
    names = set(re.findall(r'\bid="([^"]+)"', text))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= names
    assert text.count("<table>") == text.count("<caption>")
    assert "{{" not in re.sub(r"\{\{style\}\}", "", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))


def test_the_libraries_are_those_the_readme_names_with_their_licences():
    assets = Path(pages.__file__).parent / "assets"
    readme = (assets / "README.md").read_text(encoding="utf-8")
    for name, version in re.findall(r"^\| `(\S+)` \| `\S+` \| (\S+) ", readme, re.MULTILINE):
        first = (assets / name).read_text(encoding="utf-8").partition("\n")[0]
        assert f"v{version} Copyright" in first
    for name in ("d3.LICENSE", "plot.LICENSE"):
        assert "Permission to use" in (assets / name).read_text(encoding="utf-8")


@pytest.fixture
def place(page: Path) -> list[str]:
    return options_of(page.with_name("w.duckdb"))


def test_it_lies_in_the_current_folder_and_is_replaced(
    place: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Path("sparkify-report.html").write_text("old")
    assert run(["report", *place]) == 0
    assert Path("sparkify-report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["sparkify-report.html"]


def test_it_opens_in_a_browser(place: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    opened: list[str] = []

    def show(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", show)
    assert run(["report", *place, "-o", str(tmp_path / "a b" / "r.html"), "--open"]) == 0
    assert opened == [(tmp_path / "a b" / "r.html").as_uri()]


def test_what_makes_no_sense_writes_nothing(
    place: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    target = tmp_path / "r.html"
    for options in (["--since", "2018-11-02", "--until", "2018-11-01"], ["--since", "yesterday"]):
        assert run(["report", *place, "-o", str(target), *options]) == 2
    assert run(["report", "--database", str(tmp_path / "none.duckdb"), "-o", str(target)]) == 1
    assert "there is no warehouse yet" in capsys.readouterr().err
    assert not target.exists()


def test_an_older_warehouse_is_to_be_upgraded_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    old = restore(0, tmp_path / "old")
    target = tmp_path / "r.html"
    assert run(["report", *options_of(old.place), "-o", str(target)]) == 1
    assert "sparkify upgrade" in capsys.readouterr().err
    assert not target.exists()
    assert run(["upgrade", *options_of(old.place)]) == 0
    assert run(["report", *options_of(old.place), "-o", str(target)]) == 0


def test_the_warehouse_is_not_written_over(tmp_path: Path):
    from tests.loading import etl

    write_records(tmp_path / "log_data" / "1.json", play())
    database = tmp_path / "w.duckdb"
    assert etl(database, tmp_path / "log_data") == 0
    before = database.read_bytes()
    assert run(["report", *options_of(database), "-o", str(database)]) == 2
    assert database.read_bytes() == before
