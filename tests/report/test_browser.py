"""The page in a real browser: charts, filter, keyboard, screen readers, paper, and without scripts."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from tests.report.chromium import Chromium
from tests.report.conftest import HOSTILE

AXE = Path(__file__).with_name("axe.min.js")
# What of each chart is drawn: as many marks as there are paths, bars, cells and dots.
MARKS = """Object.fromEntries([...document.querySelectorAll(".charted")].map((panel) =>
    [panel.id, panel.querySelectorAll("figure svg :is(path, rect, circle, line)").length]))"""
SHAPE = "document.querySelector('#{} figure').outerHTML"


def test_it_is_drawn_from_the_file_alone_and_filtered_by_keyboard(chromium: Chromium, page: Path):
    chromium.look(1280, 900)
    chromium.open(page)
    marks = chromium.evaluate(MARKS)
    assert len(marks) > 12
    assert [name for name, count in marks.items() if not count] == []
    before = {
        name: chromium.evaluate(SHAPE.format(name))
        for name in ("levels_by_day", "hours", "top_songs", "funnel")
    }
    for _ in range(40):
        chromium.press("Tab")
        if chromium.evaluate("document.activeElement.id") == "level":
            break
    chromium.press("ArrowDown")
    level = chromium.evaluate("document.getElementById('level').selectedOptions[0].text")
    assert level in ("free", "paid")
    changed = {name for name, shape in before.items() if chromium.evaluate(SHAPE.format(name)) != shape}
    assert changed == {"levels_by_day", "hours", "top_songs"}
    plays = chromium.evaluate(
        "JSON.parse(document.getElementById('data-levels').textContent).rows"
        f".find((row) => row[0] === '{level}')[1].toLocaleString('en')"
    )
    assert chromium.evaluate("document.querySelector('[data-tile=plays] dd').textContent") == plays
    assert chromium.complaints() == []
    # Chromium draws the arrow of a list from data of its own.
    assert {url for url in chromium.requests() if not url.startswith("data:")} == {page.as_uri()}


@pytest.mark.thorough
def test_dates_filter_what_adds_up_and_everything_brings_it_back(chromium: Chromium, page: Path):
    chromium.look(1280, 900)
    chromium.open(page)
    tiles = "[...document.querySelectorAll('.tiles dd')].map((tile) => tile.textContent)"
    before = chromium.evaluate(tiles)
    hours = chromium.evaluate(SHAPE.format("hours"))
    chromium.evaluate("document.querySelector('[data-days=\"7\"]').click()")
    assert chromium.evaluate(SHAPE.format("hours")) != hours
    wanted = chromium.evaluate(
        """(() => {
            const { rows } = JSON.parse(document.getElementById("data-activity_by_day").textContent);
            const from = document.getElementById("from").value, to = document.getElementById("to").value;
            return rows.filter((row) => row[0] >= from && row[0] <= to).reduce((sum, row) => sum + row[3], 0);
        })()"""
    )
    assert chromium.evaluate(tiles)[0] == f"{wanted:,}"
    assert chromium.evaluate(tiles)[2:] == before[2:]
    since = chromium.evaluate("document.getElementById('from').value")
    also = chromium.evaluate("JSON.parse(document.getElementById('data-hours').textContent).also")
    plays: Counter[tuple[int, str]] = Counter()
    for day, _, *cells in also["rows"]:
        for hour, number in zip(also["columns"][2:], cells, strict=True):
            plays[date.fromisoformat(day).weekday(), hour] += (number or 0) if day >= since else 0
    shades = [plays[weekday, str(hour)] / max(plays.values()) for weekday in range(7) for hour in range(24)]
    drawn = chromium.evaluate(
        "[...document.querySelectorAll('#hours rect')].map((cell) => +cell.getAttribute('fill-opacity'))"
    )
    assert sum(plays.values()) == wanted
    assert sorted(drawn) == pytest.approx(sorted(0.05 + 0.95 * shade for shade in shades))
    chromium.evaluate("document.querySelector('[data-days=\"\"]').click()")
    assert chromium.evaluate(tiles) == before
    assert chromium.evaluate(SHAPE.format("hours")) == hours
    assert chromium.complaints() == []


@pytest.mark.thorough
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_the_window(
    chromium: Chromium, page: Path, width: int, scheme: str
):
    chromium.look(width, 900, scheme)
    chromium.open(page)
    assert chromium.evaluate("document.documentElement.scrollWidth") == width
    chromium.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert chromium.evaluate("document.documentElement.scrollWidth") == width
    chromium.evaluate(f"{AXE.read_text(encoding='utf-8')};0")
    found = chromium.evaluate(
        "axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) => "
        "[impact, id, nodes.slice(0, 3).map((node) => node.html.slice(0, 200))]))"
    )
    assert [each for each in found if each[0] in ("serious", "critical")] == []


@pytest.mark.thorough
def test_without_scripts_every_number_is_there(chromium: Chromium, page: Path):
    chromium.look(1280, 900)
    chromium.open(page, scripts=False)
    nodes = chromium.call("Accessibility.getFullAXTree")["nodes"]
    said = {node["name"]["value"] for node in nodes if not node["ignored"] and "name" in node}
    assert {"Top songs", "People and plays by day", "The last runs"} <= said
    assert any("Scripts are off" in text for text in said)
    assert any(HOSTILE[0] in text for text in said)
    tables = [node for node in nodes if node.get("role", {}).get("value") == "table" and not node["ignored"]]
    assert len(tables) == page.read_text(encoding="utf-8").count("<table>")
    assert "Filter" not in said


@pytest.mark.thorough
def test_hostile_names_do_nothing(chromium: Chromium, page: Path):
    chromium.look(1280, 900)
    chromium.open(page)
    assert chromium.evaluate("window.hacked") is None
    assert HOSTILE[0] in chromium.evaluate("document.querySelector('#top_songs').textContent")
    assert chromium.evaluate("document.querySelectorAll('img, iframe').length") == 0
    # The policy holds what escaping would not.
    chromium.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'hacked = 1'}))"
    )
    assert chromium.evaluate("window.hacked") is None


@pytest.mark.thorough
def test_an_empty_warehouse_has_a_page_without_charts(chromium: Chromium, tmp_path: Path):
    from sparkify.cli.app import run
    from tests.warehouses import options_of

    place = options_of(tmp_path / "w.duckdb")
    assert run(["create-tables", *place]) == 0
    assert run(["report", *place, "-o", str(tmp_path / "empty.html")]) == 0
    chromium.look(390, 900)
    chromium.open(tmp_path / "empty.html")
    assert chromium.complaints() == []
    assert chromium.evaluate("document.querySelectorAll('figure svg').length") == 0
    assert chromium.evaluate("document.getElementById('filter').hidden") is True


@pytest.mark.thorough
def test_on_paper_there_are_charts_and_no_controls(chromium: Chromium, page: Path):
    chromium.look(800, 900)
    chromium.open(page)
    chromium.call("Emulation.setEmulatedMedia", media="print", features=[])
    shown = "[...document.querySelectorAll('{}')].filter((each) => each.checkVisibility()).length"
    assert chromium.evaluate(shown.format("#filter, nav, summary")) == 0
    assert chromium.evaluate(shown.format("figure svg")) > 12
    assert len(chromium.call("Page.printToPDF")["data"]) > 10_000
    chromium.call("Emulation.setEmulatedMedia", media="")
