"""`sparkify runs` and `sparkify files`: the ledger, for people and scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import json_option, open_warehouse, settings_from, warehouse_options, wide_option
from sparkify.cli.screen import Screen
from sparkify.text import counted

F = TypeVar("F", bound=Callable[..., Any])

_ALL = 2**31


def _limit_option(usual: int) -> Callable[[F], F]:
    return click.option(
        "--limit", type=click.IntRange(min=0), default=usual, show_default=True, help="How many; 0: all."
    )


@click.command(cls=Subcommand)
@_limit_option(20)
@wide_option
@warehouse_options
@json_option
def runs(limit: int, wide: bool, as_json: bool, **options: Any) -> None:
    """Show the history of runs, the latest first.

    An undo (of which run, its mode says) and a retract count below zero what they took out. A run that
    failed published nothing.

    \b
    Example:
      sparkify runs
    """
    _show("runs", limit, options, Screen(as_json), wide=wide)


@click.command(cls=Subcommand)
@_limit_option(100)
@wide_option
@warehouse_options
@json_option
def files(limit: int, wide: bool, as_json: bool, **options: Any) -> None:
    """Show the ledger: every version of every file a run took in, the latest first.

    \b
    Example:
      sparkify files --limit 10
    """
    _show("files", limit, options, Screen(as_json), wide=wide)


def _show(name: str, limit: int, options: dict[str, Any], screen: Screen, *, wide: bool) -> None:
    from sparkify.warehouse.connect import require
    from sparkify.warehouse.ledger import ERASED_SINCE, Meta, read_meta
    from sparkify.warehouse.statements import statement

    engine = open_warehouse(settings_from(options), options)
    try:
        with engine.reading() as exists:
            require(engine, exists=exists)
            meta = read_meta(engine) or Meta()
            before = "" if meta.schema_version >= ERASED_SINCE else "_before_erasure"
            answer = engine.ask(statement(f"ledger/list_{name}{before}.sql"), most=limit or _ALL)
            rows = list(answer.rows)
            ((total,),) = engine.execute(statement(f"ledger/count_{name}.sql"))
    finally:
        engine.close()
    # Nothing was erased from most warehouses.
    shown = [
        at for at, column in enumerate(answer.columns) if column != "rows_erased" or any(r[at] for r in rows)
    ]
    screen.table(
        [answer.columns[at] for at in shown],
        [[row[at] for at in shown] for row in rows],
        data=True,
        wide=wide,
    )
    if len(rows) < total:
        screen.note(f"{len(rows):,} of {counted(total, name.removesuffix('s'))}; --limit 0 shows all.")
    screen.result({name: [dict(zip(answer.columns, row, strict=True)) for row in rows], "total": total})
