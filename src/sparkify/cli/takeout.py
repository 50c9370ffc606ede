"""`sparkify undo` and `sparkify retract`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import (
    json_option,
    open_warehouse,
    settings_from,
    warehouse_options,
    yes_option,
)
from sparkify.cli.screen import Screen, rolled_back_if_interrupted
from sparkify.cli.typed import advice
from sparkify.errors import Command, Hint
from sparkify.text import counted

if TYPE_CHECKING:
    from sparkify.custom.definitions import Models
    from sparkify.pipeline.removal import Found
    from sparkify.warehouse.engine import Engine

_SHOWN = 10


@click.command(cls=Subcommand)
@click.argument("run_id", metavar="RUN", type=click.IntRange(min=1))
@yes_option
@warehouse_options
@json_option
def undo(run_id: int, yes: bool, as_json: bool, **options: Any) -> None:
    """Remove the files of a run from the warehouse.

    `sparkify runs` lists them. The next `etl` loads the files anew if the lake still has them. A file
    the run replaced is not brought back in its older version: that is no longer anywhere.

    \b
    Example:
      sparkify undo 7
    """
    from sparkify.custom.definitions import read_folder
    from sparkify.pipeline.removal import UNDO, find_files_of_run

    screen = Screen(as_json)
    settings = settings_from(options)
    models = read_folder(settings.dwh.models)
    engine = open_warehouse(settings, options, writes=True)
    try:
        found = find_files_of_run(engine, run_id)
        _take_out(screen, engine, found, models, "undone", f"{UNDO} {run_id}", yes=yes)
    finally:
        engine.close()


@click.command(cls=Subcommand)
@click.argument("uri")
@click.option("--back", is_flag=True, help="Let the next etl load a retracted file again.")
@yes_option
@warehouse_options
@json_option
def retract(uri: str, back: bool, yes: bool, as_json: bool, **options: Any) -> None:
    """Remove one file from the warehouse; it stays out until it changes.

    \b
    Example:
      sparkify retract s3://bucket/log_data/2018/11/2018-11-15-events.json
      sparkify retract --back s3://bucket/log_data/2018/11/2018-11-15-events.json
    """
    from sparkify.custom.definitions import read_folder
    from sparkify.lake.uri import is_s3
    from sparkify.pipeline.removal import RETRACT, find_file, put_back

    screen = Screen(as_json)
    settings = settings_from(options)
    models = read_folder(settings.dwh.models)
    engine = open_warehouse(settings, options, writes=True)
    try:
        name = uri if is_s3(uri) else os.path.abspath(uri)  # noqa: PTH100 - as a listing names it
        found = find_file(engine, name, "retracted" if back else "loaded")
        if back:
            with (
                screen.progress("letting in again") as progress,
                rolled_back_if_interrupted("what was let in again is committed"),
            ):
                run = put_back(engine, found.files, progress)
            screen.advise(Hint("The next {} loads it again (run {}).", Command("etl"), str(run.run_id)))
            screen.result({"back": [file.uri for file in found.files], "run_id": run.run_id})
            return
        _take_out(screen, engine, found, models, "retracted", RETRACT, yes=yes)
    finally:
        engine.close()


def _take_out(
    screen: Screen, engine: Engine, found: Found, models: Models, state: str, mode: str, *, yes: bool
) -> None:
    from sparkify.pipeline.removal import take_out

    if found.why_none:
        why = advice(found.why_none)
        screen.say(f"Nothing to do: {why}")
        screen.advise(Hint("See {}.", Command("runs")))
        screen.result({"taken_out": [], "why": why})
        return
    files = found.files
    uris = sorted(file.uri for file in files)
    for uri in uris[:_SHOWN]:
        screen.say(uri)
    if len(files) > _SHOWN:
        screen.say(f"… and {len(files) - _SHOWN:,} more")
    if not screen.confirm(f"Remove the rows of {counted(len(files), 'file')} from the warehouse?", yes=yes):
        screen.say("Nothing was changed.")
        screen.result({"taken_out": []})
        return
    with (
        screen.progress("removing rows") as progress,
        rolled_back_if_interrupted("what was taken out is committed"),
    ):
        run = take_out(engine, files, state, mode, progress, models)
    screen.say(f"Done: the rows of {counted(len(files), 'file')} are removed (run {run.run_id}).")
    screen.result({"taken_out": uris, "run_id": run.run_id})
