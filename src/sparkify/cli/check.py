"""`sparkify check`."""

from __future__ import annotations

from typing import Any

import click

from sparkify.cli.commands import Subcommand, session
from sparkify.cli.options import (
    json_option,
    name_of,
    open_warehouse,
    settings_from,
    warehouse_options,
)
from sparkify.cli.screen import Screen
from sparkify.errors import CheckError, Command, Hint

_SAMPLE_ROWS = 5
_HINT = Hint(
    "Nothing was changed. {} computes the star anew from staging, which mends what is wrong there. "
    "If a check fails again, see {} for the files that its rows come from.",
    Command("etl", "--full-refresh"),
    Command("files"),
)


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
        ["check", "result", "failing rows", "description"],
        [
            [each.name, "FAIL" if each.failing else "ok", len(each.failing), each.description]
            for each in results
        ],
    )
    told = {
        "ok": not any(each.failing for each in results),
        "checks": [
            {
                "name": each.name,
                "description": each.description,
                "failing_rows": len(each.failing),
                "sample": each.failing[:_SAMPLE_ROWS],
            }
            for each in results
        ],
    }
    try:
        raise_failures(results)
    except CheckError as exc:
        session().beside_error = told
        raise CheckError(exc.message, _HINT) from None
    screen.result(told)
