"""`sparkify compact`: a DuckDB warehouse without the space of what is gone."""

from __future__ import annotations

from typing import Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import json_option, open_warehouse, settings_from, warehouse_options
from sparkify.cli.screen import Screen
from sparkify.errors import OK, ConfigError


@click.command(cls=Subcommand)
@warehouse_options
@json_option
def compact(as_json: bool, **options: Any) -> int:
    """Rewrite a DuckDB warehouse without the space and the bytes of what is gone.

    Rows that were replaced or taken out leave free space that later runs use again; this gives it back to the
    disk. The warehouse is written anew beside the old file and then takes its place: it needs that much free
    space, no run can work meanwhile, and a reader waits. Killed at any moment, the old file stays.

    \b
    Example:
      sparkify compact
    """
    from sparkify.warehouse.connect import require
    from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine

    screen = Screen(as_json)
    settings = settings_from(options)
    engine = open_warehouse(settings, options, writes=True)
    try:
        if not isinstance(engine, DuckDBEngine):
            raise ConfigError(
                "compact is for DuckDB files, and the engine is redshift.",
                "Redshift gives space back by itself; VACUUM in a SQL client does it at once.",
            )
        with engine.reading() as exists:
            require(engine, exists=exists)
        before = engine.path.stat().st_size
        with screen.progress("writing the file anew", share_done=engine.share_done) as progress:
            progress.expect(files=0, size=before)
            progress(reading=before)
            engine.compact()
        after = engine.path.stat().st_size
    finally:
        engine.close()
    screen.say(f"{engine.path}: {before / 1e6:,.1f} MB before, {after / 1e6:,.1f} MB now.")
    screen.result({"database": str(engine.path), "bytes_before": before, "bytes": after})
    return OK
