"""`sparkify undo` and `sparkify retract`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    from sparkify.pipeline.selection import Selection
    from sparkify.warehouse.engine import Engine
    from sparkify.warehouse.ledger import LedgerFile

_SHOWN = 10
# What the files of a state are called where they are counted.
_STATES = {
    "set_aside": ("set aside", "set aside"),
    "copy": ("copy of another file", "copies of other files"),
}


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
@click.argument("uris", nargs=-1, required=True, metavar="URI...")
@click.option("--back", is_flag=True, help="Let the next etl load retracted files again.")
@yes_option
@warehouse_options
@json_option
def retract(uris: tuple[str, ...], back: bool, yes: bool, as_json: bool, **options: Any) -> None:
    """Remove files from the warehouse; each stays out until it changes.

    URI is a file's name, as `sparkify files` shows it or as seen from here, or a pattern for the names of the
    files that are loaded (with --back: retracted), whatever lies in the lake. Put patterns in quotes.

    \b
      *        any characters but a slash
      ?        one character but a slash
      [0-5]    one of these; [!0-5]: one that is none of these
      **       between slashes: folders, none or many; at the end: everything below

    A file whose own name has such characters is meant by its name. If a pattern or a name fits no file of the
    ledger, nothing is done.

    \b
    Example:
      sparkify retract s3://bucket/log_data/2018/11/2018-11-15-events.json
      sparkify retract 's3://bucket/log_data/2018/11/2018-11-1[5-9]-*.json'
      sparkify retract --back 's3://bucket/log_data/**'
    """
    from sparkify.custom.definitions import read_folder
    from sparkify.pipeline.removal import RETRACT, Found
    from sparkify.pipeline.selection import select_files

    screen = Screen(as_json)
    settings = settings_from(options)
    models = read_folder(settings.dwh.models)
    engine = open_warehouse(settings, options, writes=True)
    try:
        state = "retracted" if back else "loaded"
        selected = select_files(engine, uris, state)
        # What a script reads of one file that is named is what it was before there were patterns.
        several = len(uris) > 1 or selected.globbed
        found = Found(selected.files, "" if selected.files else _why_none(selected, state))
        told = _told(selected) if several else {}
        if back:
            _let_in(screen, engine, found, selected, told, asks=several and not yes)
        else:
            _take_out(screen, engine, found, models, "retracted", RETRACT, selected, told, yes=yes)
    finally:
        engine.close()


def _told(selected: Selection) -> dict[str, Any]:
    """Return what a script is told of several files."""
    rows, plays = selected.totals
    return {
        "files": [
            {
                "uri": file.uri,
                "kind": file.kind,
                "rows": selected.rows[file.file_id],
                "plays": selected.plays[file.file_id],
            }
            for file in selected.files
        ],
        "rows": rows,
        "plays": plays,
        "already_retracted": selected.already,
        "passed_over": selected.others,
    }


def _why_none(selected: Selection, state: str) -> str:
    why = []
    if selected.already:
        one = len(selected.already) == 1
        which = selected.already[0] if one else counted(len(selected.already), "file")
        why.append(f"{which} {'was' if one else 'were'} retracted already.")
    if selected.others:
        why.append(f"no file that matches is {state} ({_by_state(selected)}).")
    return " ".join(why)


def _by_state(selected: Selection) -> str:
    named = {state: _STATES.get(state, (state, state)) for state in selected.others}
    return ", ".join(counted(count, *named[state]) for state, count in selected.others.items())


def _show_files(screen: Screen, files: Sequence[LedgerFile], selected: Selection | None) -> None:
    """Say which files it is about, what is in them, and which ones it is not about."""
    uris = sorted(file.uri for file in files)
    for uri in uris[:_SHOWN]:
        screen.say(uri)
    if len(files) > _SHOWN:
        screen.say(f"… and {len(files) - _SHOWN:,} more")
    if not selected:
        return
    rows, plays = selected.totals
    screen.say(f"{counted(len(files), 'file')}: {counted(rows, 'row')}, {counted(plays, 'play')} among them.")
    if selected.already:
        screen.say(f"{counted(len(selected.already), 'file was', 'files were')} retracted already.")
    if selected.others:
        screen.say(f"Passed over: {_by_state(selected)}.")


def _let_in(
    screen: Screen,
    engine: Engine,
    found: Found,
    selected: Selection,
    told: Mapping[str, Any],
    *,
    asks: bool,
) -> None:
    from sparkify.pipeline.removal import put_back

    files = found.files
    if found.why_none:
        screen.say(f"Nothing to do: {found.why_none}")
        screen.result({"back": [], "why": found.why_none, **told})
        return
    if told:
        _show_files(screen, files, selected)
    if not screen.confirm(f"Let the next etl load {counted(len(files), 'file')} again?", yes=not asks):
        screen.say("Nothing was changed.")
        screen.result({"back": [], **told})
        return
    with (
        screen.progress("letting in again") as progress,
        rolled_back_if_interrupted("what was let in again is committed"),
    ):
        run = put_back(engine, files, progress)
    it = "it" if len(files) == 1 else counted(len(files), "file")
    screen.advise(Hint("The next {} loads {} again (run {}).", Command("etl"), it, str(run.run_id)))
    screen.result({"back": [file.uri for file in files], "run_id": run.run_id, **told})


def _take_out(
    screen: Screen,
    engine: Engine,
    found: Found,
    models: Models,
    state: str,
    mode: str,
    selected: Selection | None = None,
    told: Mapping[str, Any] | None = None,
    *,
    yes: bool,
) -> None:
    from sparkify.pipeline.removal import take_out

    if found.why_none:
        why = advice(found.why_none)
        screen.say(f"Nothing to do: {why}")
        screen.advise(Hint("See {}.", Command("runs")))
        screen.result({"taken_out": [], "why": why, **(told or {})})
        return
    files = found.files
    _show_files(screen, files, selected)
    if not screen.confirm(f"Remove the rows of {counted(len(files), 'file')} from the warehouse?", yes=yes):
        screen.say("Nothing was changed.")
        screen.result({"taken_out": [], **(told or {})})
        return
    with (
        screen.progress("removing rows") as progress,
        rolled_back_if_interrupted("what was taken out is committed"),
    ):
        run = take_out(engine, files, state, mode, progress, models)
    screen.say(f"Done: the rows of {counted(len(files), 'file')} are removed (run {run.run_id}).")
    uris = sorted(file.uri for file in files)
    screen.result({"taken_out": uris, "run_id": run.run_id, **(told or {})})
