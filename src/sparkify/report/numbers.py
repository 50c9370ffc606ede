"""The report's numbers: every panel's statement, run over one range of days."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from sparkify.report.panels import (
    HEADLINE,
    PANELS,
    describe,
    report_statement,
    shared_queries,
    spell_out,
)
from sparkify.warehouse.engine import Engine, Rows
from sparkify.warehouse.statements import Statement

# How far daily panels look back from the last play of the range: a page of fifty years would not open.
_MOST_DAYS = 366
_COHORT_WEEKS = 26
# Views that several panels stand on; each is computed once.
_HELD = ("analytics.user_days", "analytics.listener_days")
# No event is earlier or later (:mod:`sparkify.records`).
_FIRST, _LAST = date(2000, 1, 1), date(2099, 12, 31)
# A parameter in the text of a statement: as we write it, or as DuckDB does.
_PARAMETER = re.compile(r"--[^\n]*|'(?:[^']|'')*'|(?<![:\w])[:$]([a-z_]+)")


class Days(NamedTuple):
    """A range of UTC days, both included; None: from the first event, or to the last."""

    since: date | None = None
    until: date | None = None

    @property
    def start(self) -> datetime:
        """The first moment of the range."""
        return datetime.combine(max(self.since or _FIRST, _FIRST), datetime.min.time())

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(min(self.until or _LAST, _LAST) + timedelta(days=1), datetime.min.time())


class PanelAnswer(NamedTuple):
    """What one statement of the report came to.

    Attributes:
        name: Name of the panel.
        title: What it shows.
        definition: What its numbers mean.
        sql: The statement as it was run, with the values of its parameters.
        columns: Names of its columns.
        rows: All of its rows.
    """

    name: str
    title: str
    definition: str
    sql: str
    columns: list[str]
    rows: Rows

    def records(self) -> list[dict[str, Any]]:
        """Return the rows as objects."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class ReportNumbers(NamedTuple):
    """Everything the page shows.

    Attributes:
        warehouse: Name of the warehouse.
        days: The range that was asked for.
        first_play: The first play in it; None: there is none.
        last_play: The last play in it.
        days_since: The first day of the daily panels.
        made_at: When it was computed, in UTC.
        panels: The answers by name, those for charts alone included.
    """

    warehouse: str
    days: Days
    first_play: datetime | None
    last_play: datetime | None
    days_since: date
    made_at: datetime
    panels: dict[str, PanelAnswer]


def gather(
    engine: Engine,
    days: Days,
    *,
    warehouse: str,
    made_at: datetime,
    on_panel: Callable[[str], object] = lambda _title: None,
) -> ReportNumbers:
    """Run every statement of the report on a warehouse that is open for reading.

    Args:
        engine: The warehouse.
        days: The range of days.
        warehouse: What the page calls the warehouse.
        made_at: The current time, in UTC.
        on_panel: Called with a panel's title before it is computed.
    """
    parameters: dict[str, Any] = {
        "since": days.start,
        "until": days.end,
        "ts_since": _milliseconds(days.start),
        "ts_until": _milliseconds(days.end),
    }
    with engine.holding(_HELD, shared_queries().values(), **parameters) as held:
        headline = _ask(engine, HEADLINE.name, parameters, held=held)
        (totals,) = headline.records()
        last = totals["last_play"] or min(days.end, made_at)
        midnight = datetime.combine(last.date(), datetime.min.time())
        parameters["days_since"] = max(days.start, midnight - timedelta(days=_MOST_DAYS - 1))
        parameters["cohorts_since"] = max(days.start, midnight - timedelta(weeks=_COHORT_WEEKS - 1))
        panels = {HEADLINE.name: headline}
        for name in statement_names():
            if name != HEADLINE.name:
                on_panel(describe(report_statement(name))[0])
                panels[name] = _ask(engine, name, parameters, held=held)
    since = parameters["days_since"].date()
    return ReportNumbers(warehouse, days, totals["first_play"], totals["last_play"], since, made_at, panels)


def statement_names() -> list[str]:
    """Return the name of every statement of the report, in the order of the page."""
    return [name for panel in PANELS for name in (panel.name, panel.also) if name]


def _ask(engine: Engine, name: str, parameters: dict[str, Any], *, held: bool) -> PanelAnswer:
    """Run a statement of the report; ``held``: the engine holds the shared queries' rows."""
    step = report_statement(name)
    alone = spell_out(step)
    title, definition = describe(step)
    answer = engine.ask(step if held else alone, **parameters)
    return PanelAnswer(
        name, title, definition, _with_values(engine, alone, parameters), answer.columns, list(answer.rows)
    )


def _with_values(engine: Engine, step: Statement, parameters: dict[str, Any]) -> str:
    """Return a statement in the engine's dialect, without its head and ready to be pasted."""

    def replaced(found: re.Match[str]) -> str:
        if not found[1]:
            return found[0]
        value = parameters[found[1]]
        return f"TIMESTAMP '{value}'" if isinstance(value, datetime) else str(value)

    lines = engine.translate(step).splitlines()
    text = "\n".join(line for line in lines if not line.startswith("--"))
    return _PARAMETER.sub(replaced, text)


def _milliseconds(moment: datetime) -> int:
    return round(moment.replace(tzinfo=UTC).timestamp() * 1000)
