"""`sparkify upgrade`: an older warehouse becomes one of this version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import json_option, open_warehouse, settings_from, source_options, warehouse_options
from sparkify.cli.screen import Screen
from sparkify.text import counted

if TYPE_CHECKING:
    from sparkify.warehouse.version import Upgrade


@click.command(cls=Subcommand)
@click.option("--plan", "only_plan", is_flag=True, help="Only say what would be done.")
@source_options
@warehouse_options
@json_option
def upgrade(only_plan: bool, as_json: bool, **options: Any) -> None:
    """Bring an older warehouse to this version's tables, rules and models.

    Tables are migrated in one transaction, all or nothing. What changed models say is computed anew, and
    files that hold rejects are read again where the rules for records have changed. `etl` does the same
    before it loads. A newer warehouse is refused.

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
        return
    told = load(screen, options, only_upgrade=True)
    screen.result({"upgrade": upgrade_object(found), "done": True, **told})


def describe_upgrade(upgrade: Upgrade, rejects: int, *, would: bool) -> Iterator[str]:
    """Yield, in lines for people, what an upgrade did, or (``would``) would do.

    Args:
        upgrade: The upgrade.
        rejects: How many loaded files hold rejects.
        would: Whether it is still to be done.
    """
    from sparkify.warehouse.tables import STAR

    if upgrade.migrations:
        names = ", ".join(path.rpartition("/")[2].removesuffix(".sql") for path in upgrade.migrations)
        yield f"The tables {'would be' if would else 'were'} brought to this version: {names}."
    if upgrade.models:
        named = counted(len(upgrade.models), "model is another", "models are others")
        yield (
            f"{named} than when this warehouse was computed ({', '.join(upgrade.models)}): "
            f"{', '.join(STAR)} {'would be' if would else 'were'} computed anew."
        )
    if upgrade.rules:
        files = counted(rejects, "file that holds rejects", "files that hold rejects")
        yield f"The rules for records have changed: {files} {'would be' if would else 'were'} read again."


def upgrade_object(upgrade: Upgrade) -> dict[str, Any]:
    """Return an upgrade for scripts."""
    return {
        "from_version": upgrade.found.schema_version if upgrade.found else None,
        "migrations": list(upgrade.migrations),
        "models": list(upgrade.models),
        "rules": upgrade.rules,
    }
