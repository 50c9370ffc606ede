"""`sparkify check`."""

from __future__ import annotations

from typing import Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import json_option, open_warehouse, settings_from, warehouse_options
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
    engine = open_warehouse(settings_from(options), options)
    try:
        with engine.reading() as exists:
            require(engine, exists=exists)
            results = run_checks(engine, Scope.everything(), run_from=0)
    finally:
        engine.close()
    screen.table(
        ["check", "holds", "failing rows", "promise"],
        [[each.name, not each.failing, len(each.failing), each.promise] for each in results],
    )
    if not any(each.failing for each in results):
        screen.result({"checks": {each.name: 0 for each in results}})
    raise_failures(results)
