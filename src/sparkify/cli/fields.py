"""`sparkify fields`: which fields the files have, and which of them have no column."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from sparkify.cli.commands import Subcommand, Subgroup
from sparkify.cli.options import json_option, open_warehouse, settings_from, warehouse_options, wide_option
from sparkify.cli.screen import Screen
from sparkify.text import shortened

_SAMPLE = 40
_COLUMNS = ("kind", "field", "state", "column", "recent", "types", "sample", "records")


@click.group(cls=Subgroup)
def fields() -> None:
    """Show the fields of the files; of those without a column the values are kept.

    \b
    Example:
      sparkify fields list
    """


@fields.command("list", cls=Subcommand)
@click.option("--all", "everything", is_flag=True, help="Those that have a column too.")
@wide_option
@warehouse_options
@json_option
def list_(everything: bool, wide: bool, as_json: bool, **options: Any) -> None:
    """List the fields that have no column.

    Their values are in the column extra of the staging table, as JSON. "recent" is the share of the events of
    the last seven days, or of all songs, that have a value; "records" is how often records of files had
    the field. With --json the first file is named, and fields that have a column are listed too.

    \b
    Example:
      sparkify fields list
    """
    from sparkify.pipeline.fields import UNKNOWN, list_fields
    from sparkify.warehouse.connect import require

    screen = Screen(as_json)
    engine = open_warehouse(settings_from(options), options)
    try:
        with engine.reading() as exists:
            require(engine, exists=exists)
            found = list_fields(engine)
    finally:
        engine.close()
    rows = [
        (
            each.kind,
            each.name,
            each.state,
            each.column,
            None if each.share is None else f"{each.share:.1%}",
            ", ".join(each.types) or (each.type or "").lower() or None,
            each.sample and shortened(each.sample, _SAMPLE),
            each.records,
        )
        for each in found
        if everything or each.state == UNKNOWN
    ]
    if rows:
        screen.table(_COLUMNS, rows, data=True, wide=wide)
    else:
        screen.say("Every field of the files has a column.")
    screen.result({"fields": [asdict(each) for each in found]})
