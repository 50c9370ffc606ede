"""`sparkify upgrade`: an older warehouse becomes one of this version."""

from __future__ import annotations

from typing import Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import json_option, open_warehouse, settings_from, source_options, warehouse_options
from sparkify.cli.screen import Screen
from sparkify.cli.versions import describe_upgrade, upgrade_object
from sparkify.errors import OK


@click.command(cls=Subcommand)
@click.option("--plan", "only_plan", is_flag=True, help="Only say what would be done.")
@source_options
@warehouse_options
@json_option
def upgrade(only_plan: bool, as_json: bool, **options: Any) -> int:
    """Bring an older warehouse to this version's tables, rules and models.

    Tables are migrated in one transaction, all or nothing. What changed models say is computed anew, and
    files with rejects, or with fields that had no column, are read again where the rules for records have
    changed. `etl` does the same before it loads. A newer warehouse is refused.

    \b
    Example:
      sparkify upgrade --plan
      sparkify upgrade
    """
    from sparkify.cli.etl import load
    from sparkify.warehouse.connect import require
    from sparkify.warehouse.ledger import read_ledger
    from sparkify.warehouse.version import find_upgrade, schema_version

    screen = Screen(as_json)
    settings = settings_from(options)
    engine = open_warehouse(settings, options, writes=True)
    try:
        with engine.reading() as exists:
            require(engine, exists=exists)
        ledger = read_ledger(engine)
    finally:
        engine.close()
    found = find_upgrade(ledger.meta)
    rejects = [file.uri for file in ledger.files if file.state == "loaded" and file.rows_rejected]
    if not found:
        screen.say(f"Nothing to do: the warehouse is of this version ({schema_version()}).")
    elif only_plan:
        for line in describe_upgrade(found, len(rejects), would=True):
            screen.say(line)
        screen.say("Nothing was changed.")
    if not found or only_plan:
        screen.result({"upgrade": upgrade_object(found), "done": False})
        return OK
    told = load(screen, options, only_upgrade=True)
    screen.result({"upgrade": upgrade_object(found), "done": True, **told})
    return OK  # what wants a look was there before
