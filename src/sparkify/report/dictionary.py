"""The data dictionary: every table, view and column, what it means, and which field of a file it comes from.

Heads of the definitions (``sql/tables``, ``sql/analytics``) say what a table is, ``columns.toml`` what a
column means and what a value of it looks like, and the models themselves where it comes from
(:mod:`sparkify.report.lineage`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from html import escape
from importlib import resources
from typing import Any, NamedTuple

from sparkify.records import KINDS
from sparkify.report.lineage import origins, table_columns, tables_with_origins, view_columns
from sparkify.report.panels import SECTIONS, spell_out
from sparkify.report.templates import asset, fill
from sparkify.warehouse.statements import Statement
from sparkify.warehouse.tables import STAGING, STAR, table_definitions
from sparkify.warehouse.views import view_definitions

# How the star is joined: column and the table whose key it is.
JOINS = (
    ("songplays.start_time", "time.start_time"),
    ("songplays.user_id", "users.user_id"),
    ("songplays.song_id", "songs.song_id"),
    ("songplays.artist_id", "artists.artist_id"),
    ("songs.artist_id", "artists.artist_id"),
)
_HEADS = ("column", "type", "meaning", "example", "from", "fields")
_CREATE = re.compile(r"CREATE (?:TABLE IF NOT EXISTS|VIEW) ([\w.]+)")


class Column(NamedTuple):
    """A column.

    Attributes:
        name: Its name.
        type: Its type on Redshift; empty for a view's.
        meaning: What it means, with its unit.
        example: A value as it might be; None: there is none.
        origins: The columns it is computed from, as ``table.column``.
        fields: The fields of the files it comes from in the end, as ``events.ts``.
    """

    name: str
    type: str
    meaning: str
    example: Any
    origins: list[str]
    fields: list[str]


class DescribedTable(NamedTuple):
    """A table or view.

    Attributes:
        name: Its name, with the schema unless that is the default one.
        about: What it is.
        grain: What makes a row one.
        columns: Its columns, in order.
        panels: Titles of the report's panels that read it.
    """

    name: str
    about: str
    grain: str
    columns: list[Column]
    panels: list[str]


def describe_warehouse() -> list[DescribedTable]:
    """Return every table and view: staging, the star, the views, the ledger."""
    heads = dict(map(_head, [*table_definitions(), *view_definitions().values()]))
    types = table_columns()
    columns: dict[str, Sequence[str]] = {
        **{name: list(each) for name, each in types.items()},
        **view_columns(),
    }
    traced = {name: origins(name) for name in tables_with_origins()}
    fields = _fields(traced)
    views = list(view_definitions())
    ledger = [name for name in types if name not in {*STAGING, *STAR}]
    return [
        DescribedTable(
            name,
            *heads[name],
            [
                Column(
                    column,
                    types.get(name, {}).get(column, ""),
                    _meaning(name, column),
                    _example(name, column),
                    traced.get(name, {}).get(column, []),
                    sorted(fields.get(f"{name}.{column}", ())),
                )
                for column in columns[name]
            ],
            list(_panels_of(name)),
        )
        for name in (*STAR, *sorted(views), *STAGING, *ledger)
    ]


def _head(step: Statement) -> tuple[str, tuple[str, str]]:
    """Return the name of the table or view that a statement makes, what it is, and its grain."""
    lines = [line.removeprefix("--").strip() for line in step.text.splitlines() if line.startswith("--")]
    grain = next((line.removeprefix("grain: ") for line in lines if line.startswith("grain: ")), "")
    about = " ".join(line for line in lines if not line.startswith("grain: "))
    found = _CREATE.search(step.text)
    assert found, step.path
    return found[1], (about, grain)


def _fields(traced: dict[str, dict[str, list[str]]]) -> dict[str, set[str]]:
    """Return the fields of the files that each column comes from in the end."""
    found: dict[str, set[str]] = {
        f"{kind.staging}.{field.column}": {f"{kind.name}.{field.key}"}
        for kind in KINDS
        for field in kind.fields
    }
    # Songs and artists come before plays, and plays before their times and all views.
    views = [name for name in traced if name not in STAR]
    for name in ("songs", "artists", "songplays", "users", "time", *views):
        for column, sources in traced[name].items():
            found[f"{name}.{column}"] = set().union(*(found.get(source, set()) for source in sources))
    return found


@cache
def _words() -> dict[str, dict[str, Any]]:
    text = resources.files("sparkify.report").joinpath("columns.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _meaning(table: str, column: str) -> str:
    return str(_said("every", "table", table, column) or ("As delivered." if table in STAGING else ""))


def _example(table: str, column: str) -> Any:
    return _said("example", "example_of", table, column)


def _said(every: str, of_tables: str, table: str, column: str) -> Any:
    """Return what ``columns.toml`` says of a column, of that table or of every one; None: nothing."""
    words = _words()
    return words[of_tables].get(table, {}).get(column, words[every].get(column))


def _shown(example: Any) -> list[str]:
    """Return the text of an example, if there is one."""
    if isinstance(example, datetime):
        return [example.isoformat(" ", "milliseconds" if example.microsecond else "seconds")]
    return [] if example is None else [str(example)]


def _panels_of(table: str) -> Iterator[str]:
    name = re.compile(rf"(?<![\w.]){re.escape(table)}\b")
    for section in SECTIONS:
        for panel in section.panels:
            if name.search(spell_out(panel.statement).code):
                yield panel.statement.text.partition("\n")[0].removeprefix("--").strip()


def write_markdown(tables: Iterable[DescribedTable]) -> str:
    """Return the dictionary as a Markdown page, with the star's diagram as a Mermaid block."""
    parts = ["# Data dictionary", "Times are UTC; units are in brackets, examples invented.", _mermaid()]
    for table in tables:
        parts.append(f"## {table.name}\n\n{table.about}")
        parts += [f"Grain: {table.grain}."] if table.grain else []
        rows = [f"| {' | '.join(_HEADS)} |", "|---" * len(_HEADS) + "|"]
        rows += [
            f"| `{each.name}` | {each.type} | {each.meaning} | {_listed(_shown(each.example))} "
            f"| {_listed(each.origins)} | {_listed(each.fields)} |"
            for each in table.columns
        ]
        parts.append("\n".join(rows))
        parts += [f"Panels of the report: {', '.join(table.panels)}."] if table.panels else []
    return "\n\n".join(parts) + "\n"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _mermaid() -> str:
    lines = [
        f"    {to.partition('.')[0]} ||--o{{ {of.partition('.')[0]} : {of.partition('.')[2]}"
        for of, to in JOINS
    ]
    return "\n".join(["```mermaid", "erDiagram", *lines, "```"])


def write_dictionary_page(tables: Sequence[DescribedTable]) -> str:
    """Return the dictionary as one HTML page without scripts."""
    return fill(
        "dictionary.html",
        style=asset("report.css"),
        diagram=_diagram(tables),
        links=" ".join(f'<a href="#{_anchor(each.name)}">{escape(each.name)}</a>' for each in tables),
        tables="".join(map(_html_table, tables)),
    )


def _anchor(name: str) -> str:
    return name.replace(".", "-")


def _html_table(table: DescribedTable) -> str:
    rows = "".join(
        f"<tr><th scope=row><code>{escape(each.name)}</code><td class=d>{escape(each.type)}"
        f"<td>{escape(each.meaning)}<td>{_html_names(_shown(each.example))}"
        f"<td>{_html_names(each.origins)}<td>{_html_names(each.fields)}"
        for each in table.columns
    )
    heads = "".join(f"<th scope=col>{name}" for name in _HEADS)
    body = fill("table.html", title=escape(table.name), head=f"<thead><tr>{heads}</thead>", body=rows)
    grain = f"<p>Grain: {escape(table.grain)}.</p>" if table.grain else ""
    panels = f"<p>Panels of the report: {escape(', '.join(table.panels))}.</p>" if table.panels else ""
    return (
        f'<section class="panel wide" id="{_anchor(table.name)}"><h2>{escape(table.name)}</h2>'
        f"<p>{escape(table.about)}</p>{grain}{body}{panels}</section>\n"
    )


def _html_names(names: Iterable[str]) -> str:
    return "<br>".join(f"<code>{escape(name)}</code>" for name in names)


# The boxes of the star, their left upper corners in units of the drawing, and their width.
_BOXES = {
    "time": (20, 20),
    "users": (20, 250),
    "songplays": (300, 20),
    "songs": (580, 20),
    "artists": (580, 210),
}
_WIDTH, _LINE = 200, 17


def _diagram(tables: Sequence[DescribedTable]) -> str:
    """Return the star as a drawing: its tables, and lines from keys to what they name."""
    star = {table.name: table for table in tables if table.name in _BOXES}

    def edge(place: str, *, right: bool) -> tuple[int, int]:
        table, _, column = place.partition(".")
        left, top = _BOXES[table]
        number = [each.name for each in star[table].columns].index(column)
        return left + (_WIDTH if right else 0), top + 30 + number * _LINE

    parts = []
    for of, to in JOINS:
        same_side = _BOXES[of.partition(".")[0]][0] == _BOXES[to.partition(".")[0]][0]
        leftwards = _BOXES[of.partition(".")[0]][0] > _BOXES[to.partition(".")[0]][0]
        (x1, y1), (x2, y2) = (
            edge(of, right=same_side or not leftwards),
            edge(to, right=same_side or leftwards),
        )
        bend = 40 if same_side else (x2 - x1) // 2
        parts.append(
            f'<path d="M{x1},{y1} C{x1 + bend},{y1} {x2 + (bend if same_side else -bend)},{y2} {x2},{y2}" '
            'fill="none" stroke="currentColor"/>'
        )
    for name, (left, top) in _BOXES.items():
        columns = star[name].columns
        height = 22 + len(columns) * _LINE
        parts.append(
            f'<rect x="{left}" y="{top}" width="{_WIDTH}" height="{height}" fill="none" '
            f'stroke="currentColor"/>'
            f'<text x="{left + 8}" y="{top + 14}" font-weight="600">{name}</text>'
        )
        parts += [
            f'<text x="{left + 8}" y="{top + 34 + number * _LINE}">{escape(each.name)}</text>'
            for number, each in enumerate(columns)
        ]
    joins = "; ".join(f"{of} names {to}" for of, to in JOINS)
    return (
        f'<svg viewBox="0 0 840 400" role="img" aria-label="The star: {joins}." '
        f'font-size="12" fill="currentColor">{"".join(parts)}</svg>'
    )
