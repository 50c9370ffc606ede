"""`sparkify create-tables`, and the mission's own script of that name, which resets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import json_option, open_warehouse, settings_from, warehouse_options, yes_option
from sparkify.cli.screen import Screen, rolled_back_if_interrupted

if TYPE_CHECKING:
    from sparkify.warehouse.engine import Engine


@click.command("create-tables", cls=Subcommand)
@click.option("--drop", is_flag=True, help="Reset: drop every table first, with all its rows.")
@yes_option
@warehouse_options
@json_option
def create_tables(drop: bool, yes: bool, as_json: bool, **options: Any) -> None:
    """Create every table of the warehouse that is missing, or reset them all.

    \b
    Example:
      sparkify create-tables
      sparkify create-tables --drop      asks first where rows would be lost
    """
    from sparkify.errors import SparkifyError
    from sparkify.warehouse.version import drop_warehouse, prepare_tables

    screen = Screen(as_json)
    engine = open_warehouse(settings_from(options), options, writes=True)
    try:
        if drop:
            with engine.reading() as exists:
                lost = _losses(engine) if exists else {}
            if lost:
                screen.table(["table", "rows to be dropped"], list(lost.items()))
                if not screen.confirm("Drop these tables with all their rows, and the ledger?", yes=yes):
                    screen.say("Nothing was changed.")
                    screen.result({"dropped": False, "created": False})
                    return
        with (
            rolled_back_if_interrupted("what was done is committed", what="what was begun"),
            engine.writing(),
        ):
            if drop:
                # Nobody was asked about rows that came while somebody was asked.
                if not yes and exists and _losses(engine) != lost:
                    raise SparkifyError(
                        "another run has changed the tables meanwhile.",
                        "Nothing was dropped. Run it again to see what would be.",
                    )
                drop_warehouse(engine)
            prepare_tables(engine)
    finally:
        engine.close()
    screen.say("The tables are reset." if drop else "The tables are there.")
    screen.result({"dropped": drop, "created": True})


def _losses(engine: Engine) -> dict[str, int]:
    """Return what a reset would lose: rows by table, and what somebody decided to keep out."""
    from sparkify.warehouse.ledger import ERASED_SINCE, current_files, read_erased, read_meta
    from sparkify.warehouse.tables import count_rows

    counts = count_rows(engine)
    meta = read_meta(engine)
    if meta is not None:
        kept_out = sum(file.state == "retracted" for file in current_files(engine, meta))
        counts["(retracted files)"] = kept_out
        erased = read_erased(engine) if meta.schema_version >= ERASED_SINCE else []
        counts["(forgotten people)"] = len({each.person for each in erased if each.person})
    return {name: count for name, count in counts.items() if count}
