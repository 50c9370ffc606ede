"""The panels of the report, in the order of the page.

What a panel is called, what its numbers mean and how they are computed stands in its .sql file
(``sql/report``): the first line is the title, the comment below it the definition. What several panels begin
with is a query of its own (``sql/report/shared``), which they read by its file's name.
"""

from __future__ import annotations

import re
from functools import cache
from textwrap import indent
from typing import NamedTuple

from sparkify.warehouse.statements import Statement, list_files, statement


class Pivot(NamedTuple):
    """A table whose columns are the values of a column: cells of one row and column are added up."""

    rows: tuple[str, ...]
    column: str
    cell: str


class Panel(NamedTuple):
    """One panel: a statement, its table, and how a chart shows it.

    Attributes:
        name: The .sql file below ``sql/report``, without its suffix.
        follows: What of the page's filter it follows: ``days``, ``level``, both or nothing.
        chart: Whether ``report.js`` has a chart of that name.
        wide: Whether it takes the page's whole width.
        upright: Whether its one row is shown as a column.
        pivot: How its table is laid out, if not row by row.
        also: Another statement whose rows are for the chart alone.
        also_pivot: How these are laid out.
    """

    name: str
    follows: tuple[str, ...] = ()
    chart: bool = True
    wide: bool = False
    upright: bool = False
    pivot: Pivot | None = None
    also: str = ""
    also_pivot: Pivot | None = None

    @property
    def statement(self) -> Statement:
        """The statement that computes its rows."""
        return report_statement(self.name)


class Section(NamedTuple):
    """Panels under one heading."""

    name: str
    title: str
    panels: tuple[Panel, ...]


# The numbers at the top of the page.
HEADLINE = Panel("headline", chart=False)

SECTIONS = (
    Section(
        "listening",
        "Listening",
        (
            Panel("activity_by_day", ("days",), wide=True),
            Panel("levels_by_day", ("days", "level"), wide=True),
            Panel("levels"),
            Panel(
                "hours",
                ("days", "level"),
                pivot=Pivot(("weekday",), "hour", "plays"),
                also="hours_by_day",
                also_pivot=Pivot(("day", "level"), "hour", "plays"),
            ),
            Panel("local_hours", ("level",), pivot=Pivot(("weekday",), "hour", "plays")),
            Panel("level_changes", ("days",)),
        ),
    ),
    Section(
        "music",
        "Music",
        (
            Panel("top_songs", ("level",)),
            Panel("song_trends", pivot=Pivot(("place", "song", "artist"), "week", "plays")),
            Panel("top_artists", ("level",)),
            Panel("artist_trends", pivot=Pivot(("place", "artist"), "week", "plays")),
        ),
    ),
    Section(
        "people",
        "People",
        (
            Panel("activity_by_week"),
            Panel("activity_by_month"),
            Panel(
                "retention",
                wide=True,
                pivot=Pivot(("cohort_by", "cohort", "cohort_people"), "weeks_later", "people"),
            ),
            Panel("funnel"),
            Panel("genders", ("level",)),
            Panel("devices", ("level",)),
            Panel("metros", ("level",)),
        ),
    ),
    Section(
        "catalogue",
        "Catalogue",
        (
            Panel("coverage_by_day", ("days",), wide=True),
            Panel("coverage"),
            Panel("unmatched", chart=False),
        ),
    ),
    Section(
        "data",
        "Data",
        (
            Panel("freshness", chart=False, upright=True),
            Panel("rejects", chart=False),
            Panel("set_aside", chart=False),
            Panel("checks", chart=False),
            Panel("runs", chart=False, wide=True),
        ),
    ),
)

PANELS = (HEADLINE, *(panel for section in SECTIONS for panel in section.panels))


def report_statement(name: str) -> Statement:
    """Return a statement of the report by its name."""
    return statement(f"report/{name}.sql")


@cache
def shared_queries() -> dict[str, Statement]:
    """Return the queries that several panels read, by name."""
    return {step.name: step for step in map(statement, list_files("report/shared"))}


def spell_out(step: Statement) -> Statement:
    """Return a statement that stands alone: the shared queries that it reads are in its WITH."""
    used = [
        each for name, each in shared_queries().items() if re.search(rf"\b(FROM|JOIN) {name}\b", step.code)
    ]
    if not used:
        return step
    head, body = _parted(step)
    shared = ",\n\n".join(f"{each.name} AS (\n{indent(_parted(each)[1], '    ')}\n)" for each in used)
    joint = "," if body.startswith("WITH ") else ""
    return step._replace(text=f"{head}WITH {shared}{joint}\n\n{body.removeprefix('WITH ')}")


def _parted(step: Statement) -> tuple[str, str]:
    """Return the comment at a statement's head, and what follows it."""
    lines = step.text.splitlines(keepends=True)
    begin = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    return "".join(lines[:begin]), "".join(lines[begin:])


def describe(step: Statement) -> tuple[str, str]:
    """Return title and definition: the first line of the statement's head, and the lines below it."""
    head: list[str] = []
    for line in step.text.splitlines():
        if not line.startswith("--"):
            break
        head.append(line.removeprefix("--").strip())
    return head[0], " ".join(head[1:])
