"""`sparkify undo` and `sparkify retract`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.options import json_option, open_warehouse, settings_from, warehouse_options, yes_option
from sparkify.cli.screen import Screen

if TYPE_CHECKING:
    from sparkify.warehouse.engine import Engine


@click.command()
@click.argument("run_id", metavar="RUN", type=click.IntRange(min=1))
@yes_option
@warehouse_options
@json_option
def undo(run_id: int, yes: bool, as_json: bool, **options: Any) -> None:
    """Take the files of a run out of the warehouse again.

    The next `etl` loads them anew if the lake still has them. A file the run replaced is not
    brought back in its older version: that is no longer anywhere.

    \b
    Example:
      sparkify undo 7
    """
    from sparkify.pipeline.takeout import find_files_of_run

    screen = Screen(as_json)
    engine = open_warehouse(settings_from(options), options)
    try:
        _take_out(screen, engine, find_files_of_run(engine, run_id), "undone", yes=yes)
    finally:
        engine.close()


@click.command()
@click.argument("uri")
@click.option("--back", is_flag=True, help="Let the next etl load a retracted file again.")
@yes_option
@warehouse_options
@json_option
def retract(uri: str, back: bool, yes: bool, as_json: bool, **options: Any) -> None:
    """Take one file out of the warehouse; it stays out until it changes.

    \b
    Example:
      sparkify retract s3://bucket/log_data/2018/11/2018-11-15-events.json
      sparkify retract --back s3://bucket/log_data/2018/11/2018-11-15-events.json
    """
    from sparkify.pipeline.takeout import find_file, put_back

    screen = Screen(as_json)
    engine = open_warehouse(settings_from(options), options)
    try:
        name = uri if "://" in uri else os.path.abspath(uri)  # noqa: PTH100 - as a listing names it
        files = find_file(engine, name, "retracted" if back else "loaded")
        if back:
            put_back(engine, files)
            screen.say("The next `sparkify etl` loads it again.")
            screen.result({"back": list(files.values())})
            return
        _take_out(screen, engine, files, "retracted", yes=yes)
    finally:
        engine.close()


def _take_out(screen: Screen, engine: Engine, files: dict[int, str], state: str, *, yes: bool) -> None:
    from sparkify.pipeline.takeout import take_out

    for uri in sorted(files.values())[:10]:
        screen.say(uri)
    if not screen.confirm(f"Take the rows of {len(files):,} files out of the warehouse?", yes=yes):
        screen.say("Nothing was changed.")
        screen.result({"taken_out": []})
        return
    with screen.progress("taking out") as progress:
        run = take_out(engine, files, state, progress)
    screen.say(f"Done: the rows of {len(files):,} files are out (run {run.run_id}).")
    screen.result({"taken_out": sorted(files.values()), "run_id": run.run_id})
