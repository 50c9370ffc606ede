"""`sparkify runs` and `sparkify files`: the ledger, for people and scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import json_option, open_warehouse, settings_from, warehouse_options
from sparkify.cli.screen import Screen
from sparkify.text import shortened

# Characters of an error in a table.
_ERROR = 80


@click.command(cls=Subcommand)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@warehouse_options
@json_option
def runs(limit: int, as_json: bool, **options: Any) -> None:
    """Show the history of runs, the latest first.

    An undo (of which run, its mode says) and a retract count below zero what they took out. A run that
    failed published nothing.

    \b
    Example:
      sparkify runs
    """
    _show("ledger/list_runs.sql", "runs", limit, Screen(as_json), options)


@click.command(cls=Subcommand)
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="How many.")
@warehouse_options
@json_option
def files(limit: int, as_json: bool, **options: Any) -> None:
    """Show the ledger: every version of every file a run took in, the latest first.

    \b
    Example:
      sparkify files --limit 10
    """
    _show("ledger/list_files.sql", "files", limit, Screen(as_json), options)


def _show(path: str, name: str, limit: int, screen: Screen, options: dict[str, Any]) -> None:
    from sparkify.warehouse.connect import require
    from sparkify.warehouse.statements import statement

    engine = open_warehouse(settings_from(options), options)
    try:
        with engine.reading() as exists:
            require(engine, exists=exists)
            answer = engine.ask(statement(path), most=limit)
            rows = list(answer.rows)
    finally:
        engine.close()
    screen.table(answer.columns, [_in_brief(answer.columns, row) for row in rows])
    screen.result({name: [dict(zip(answer.columns, row, strict=True)) for row in rows]})


def _in_brief(columns: Sequence[str], row: Sequence[Any]) -> list[Any]:
    """Return a row whose error is short enough for a table; --json has it whole."""
    return [
        shortened(value, _ERROR) if name == "error" and value else value
        for name, value in zip(columns, row, strict=True)
    ]
