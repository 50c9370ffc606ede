"""The report's page: one HTML file that needs no server, no network and, but for its charts, no scripts.

Skeleton, style and scripts are files in ``report/assets``. What comes from the warehouse is text, wherever it
stands: it is escaped in HTML and in the JSON that the charts are drawn from.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from html import escape
from typing import Any

from sparkify import __version__
from sparkify.report.numbers import PanelAnswer, ReportNumbers
from sparkify.report.panels import HEADLINE, SECTIONS, Panel, Pivot, Section
from sparkify.report.templates import asset, fill
from sparkify.text import visible
from sparkify.warehouse.engine import Rows

_SCRIPTS = ("d3.min.js", "plot.umd.min.js", "report.js")
_LICENCES = ("d3.LICENSE", "plot.LICENSE")
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_NOTHING = "\u2013"
# Texts of so many characters stay on one line.
_SHORT = 20
# Characters that may end a script or a line of it.
_ENDS = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def write_page(numbers: ReportNumbers) -> str:
    """Return the whole page."""
    scripts = [asset(name) for name in _SCRIPTS]
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in scripts)
    return fill(
        "page.html",
        policy=f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; base-uri 'none'; "
        "form-action 'none'",
        style=asset("report.css"),
        warehouse=_text(numbers.warehouse),
        range=escape(_name_range(numbers)),
        made_at=_moment(numbers.made_at),
        version=escape(__version__),
        licences=escape("\n\n".join(map(asset, _LICENCES))),
        links="".join(f'<a href="#{each.name}">{escape(each.title)}</a>\n' for each in SECTIONS),
        tiles="".join(_tiles(numbers)),
        headline=_explanation(numbers.panels[HEADLINE.name]),
        sections="".join(_section(each, numbers) for each in SECTIONS),
        meta=_json(_meta(numbers)),
        scripts="\n".join(f"<script>{script}</script>" for script in scripts),
    )


def _name_range(numbers: ReportNumbers) -> str:
    since, until = numbers.days
    first = since or (numbers.first_play and numbers.first_play.date())
    last = until or (numbers.last_play and numbers.last_play.date())
    if not first or not last:
        return "no plays yet"
    if first == last:
        return _long(first)
    short = (
        f"{first.day}" if (first.year, first.month) == (last.year, last.month) else f"{first.day} {first:%B}"
    )
    return f"{short if first.year == last.year else _long(first)} to {_long(last)}"


def _tiles(numbers: ReportNumbers) -> Iterable[str]:
    (totals,) = numbers.panels[HEADLINE.name].records()
    share = f"{totals['matched'] / totals['plays']:.1%}" if totals["plays"] else _NOTHING
    for name, value, label in (
        ("plays", f"{totals['plays']:,}", "plays"),
        ("listeners", f"{totals['listeners']:,}", "listeners"),
        ("people", f"{totals['people']:,}", "people in the app"),
        ("sessions", f"{totals['sessions']:,}", "sessions with plays"),
        ("songs", f"{totals['songs']:,}", "different songs"),
        ("matched", share, "of plays in the catalogue"),
    ):
        yield fill("tile.html", name=name, value=escape(value), label=escape(label))


def _section(section: Section, numbers: ReportNumbers) -> str:
    panels = "".join(_panel(panel, numbers) for panel in section.panels)
    return fill("section.html", name=section.name, title=escape(section.title), panels=panels)


def _panel(panel: Panel, numbers: ReportNumbers) -> str:
    answer = numbers.panels[panel.name]
    also = numbers.panels[panel.also] if panel.also else None
    data = ""
    if panel.chart and answer.rows:
        found: dict[str, Any] = {"columns": answer.columns, "rows": _thinned(answer.rows)}
        if also:
            assert panel.also_pivot
            columns, rows = _turned(also, panel.also_pivot)
            found["also"] = {"columns": columns, "rows": rows}
        data = f'<script type="application/json" id="data-{panel.name}">{_json(found)}</script>'
    return fill(
        "panel.html",
        name=panel.name,
        title=escape(answer.title),
        kind=("wide " if panel.wide else "") + ("charted" if data else "plain"),
        follows=" ".join(panel.follows),
        filter=_scope(panel),
        table=_table(panel, answer),
        explanation=_explanation(answer, also),
        data=data,
    )


def _explanation(answer: PanelAnswer, also: PanelAnswer | None = None) -> str:
    return "".join(
        fill("explanation.html", definition=escape(each.definition), sql=escape(each.sql))
        for each in (answer, also)
        if each
    )


def _scope(panel: Panel) -> str:
    if panel.follows:
        return f"Follows the filter by {' and '.join(panel.follows)}"
    return "Whole range" if _has_range(panel) else "The whole warehouse"


def _has_range(panel: Panel) -> bool:
    return not {"until", "ts_until"}.isdisjoint(panel.statement.parameters)


def _table(panel: Panel, answer: PanelAnswer) -> str:
    if not answer.rows:
        return f'<p class="empty">{"Nothing in this range" if _has_range(panel) else "None"}.</p>'
    if panel.upright:
        (row,) = answer.rows
        body = "".join(
            f"<tr><th scope=row>{escape(_heading(name))}{_cell(name, value)}"
            for name, value in zip(answer.columns, row, strict=True)
        )
        return fill("table.html", title=escape(answer.title), head="", body=body)
    columns, rows = _turned(answer, panel.pivot) if panel.pivot else (answer.columns, answer.rows)
    numeric = {
        place for place in range(1, len(columns)) if any(isinstance(row[place], int | float) for row in rows)
    }
    heads = "".join(
        f"<th scope=col{' class=n' * (place in numeric)}>{escape(_heading(name))}"
        for place, name in enumerate(columns)
    )
    body = "".join(
        f"<tr><th scope=row{_narrow(row[0])}>{_shown(columns[0], row[0])}"
        + "".join(_cell(name, value) for name, value in zip(columns[1:], row[1:], strict=True))
        for row in rows
    )
    return fill("table.html", title=escape(answer.title), head=f"<thead><tr>{heads}</thead>", body=body)


def _thinned(rows: Rows) -> list[list[Any]]:
    """Return rows in which 0 stands for a text or day that is that of the row above."""
    above: Sequence[Any] = ()
    found = []
    for row in rows:
        same = [isinstance(value, str | date) and above[n : n + 1] == (value,) for n, value in enumerate(row)]
        found.append([0 if each else value for each, value in zip(same, row, strict=True)])
        above = tuple(row)
    return found


def _turned(answer: PanelAnswer, pivot: Pivot) -> tuple[list[str], Rows]:
    """Return columns and rows of a table turned round; a cell that no row belongs to is None."""
    where = {name: number for number, name in enumerate(answer.columns)}
    values = {row[where[pivot.column]] for row in answer.rows}
    wide = [*sorted(values - {None}), *(values & {None})]
    cells: dict[tuple[Any, ...], dict[Any, Any]] = {}
    for row in answer.rows:
        found = cells.setdefault(tuple(row[where[name]] for name in pivot.rows), {})
        column = row[where[pivot.column]]
        found[column] = found.get(column, 0) + row[where[pivot.cell]]
    columns = [*pivot.rows, *("unknown" if value is None else str(value) for value in wide)]
    return columns, [(*key, *(found.get(value) for value in wide)) for key, found in cells.items()]


def _narrow(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    # ASCII runs from left to right, as the page does.
    return f"{' dir=auto' * (not value.isascii())}{' class=d' * (len(value) <= _SHORT)}"


def _cell(name: str, value: Any) -> str:
    # Most cells are numbers, and a page may have ten thousand: theirs is the shortest tag.
    if value is None or isinstance(value, int | float):
        return f"<td>{_shown(name, value)}"
    if isinstance(value, date):
        return f"<td class=d>{_shown(name, value)}"
    return f"<td{_narrow(value)}>{_shown(name, value)}"


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "all" if name == "of_level" else _NOTHING
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if name == "weekday":
        return _WEEKDAYS[value]
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else _text(str(value))


def _text(value: str) -> str:
    return escape(visible(value))


def _heading(name: str) -> str:
    return name.replace("_", " ")


def _moment(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}"


def _long(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _meta(numbers: ReportNumbers) -> dict[str, Any]:
    levels: Sequence[Any] = [row[1] for row in numbers.panels["levels_by_day"].rows]
    listed = [row[0] for row in numbers.panels["levels"].rows]
    last = numbers.last_play.date() if numbers.last_play else None
    first = max(numbers.first_play.date(), numbers.days_since) if numbers.first_play else None
    return {"first": first, "last": last, "levels": list(dict.fromkeys([*listed, *levels]))}


def _json(value: Any) -> str:
    text = json.dumps(value, default=date.isoformat, ensure_ascii=False, separators=(",", ":"))
    return re.sub(f"[{''.join(_ENDS)}]", lambda found: _ENDS[found[0]], text)


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
