"""`sparkify check`."""

from __future__ import annotations

from typing import Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import (
    json_option,
    name_of,
    open_warehouse,
    settings_from,
    warehouse_options,
)
from sparkify.cli.screen import Screen


@click.command(cls=Subcommand)
@warehouse_options
@json_option
def check(as_json: bool, **options: Any) -> None:
    """Run every data check against the whole warehouse; exit 3 when one fails.

    \b
    Example:
      sparkify check
    """
    from sparkify.pipeline.checks import raise_failures, run_checks
    from sparkify.pipeline.scope import Scope
    from sparkify.warehouse.connect import require

    screen = Screen(as_json)
    settings = settings_from(options)
    engine = open_warehouse(settings, options)
    try:
        with engine.reading() as exists:
            require(engine, exists=exists)
            results = run_checks(engine, Scope.everything(), run_from=0)
    finally:
        engine.close()
    screen.say(f"Warehouse: {name_of(settings, engine)}")
    screen.table(
        ["check", "holds", "failing rows", "promise"],
        [[each.name, not each.failing, len(each.failing), each.description] for each in results],
    )
    if not any(each.failing for each in results):
        screen.result({"checks": {each.name: 0 for each in results}})
    raise_failures(results)
