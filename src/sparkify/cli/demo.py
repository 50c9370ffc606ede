"""`sparkify demo`: everything once, on data of our own making."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import json_option, open_warehouse, settings_from
from sparkify.cli.screen import Screen
from sparkify.errors import ConfigError
from sparkify.text import counted

_USERS = 400


@click.command(cls=Subcommand)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option(
    "--seed", type=int, default=42, show_default=True, help="A different seed gives different data."
)
@json_option
def demo(folder: Path | None, seed: int, as_json: bool) -> None:
    """Simulate a small month, load it, ask it five questions, and write the report.

    Everything lies in FOLDER, which must be new; a temporary one if you name none. It stays, so that
    you can look around in it; the last line says how to remove it.

    \b
    Example:
      sparkify demo
      sparkify demo my-demo
    """
    screen = Screen(as_json)
    if folder is not None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError(
                f"{folder} is there already.", "Name a new folder; the demo writes over nothing."
            )
        _show(screen, folder, seed)
        return
    folder = Path(tempfile.mkdtemp(prefix="sparkify-demo-"))
    try:
        _show(screen, folder, seed)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # nobody knows of it yet
        raise


def _show(screen: Screen, folder: Path, seed: int) -> None:
    from sparkify.cli.etl import load
    from sparkify.cli.report import tell_report, write_report
    from sparkify.report.numbers import Days
    from sparkify.settings import load_settings
    from sparkify.simulator.config import load_parameters
    from sparkify.simulator.workers import simulate
    from sparkify.simulator.world import SimulationPlan

    started = time.monotonic()
    lake, database = folder / "lake", folder / "sparkify.duckdb"
    screen.say(f"1. Simulate a month of {_USERS} listeners.")
    plan = SimulationPlan(parameters=load_parameters(None), users=_USERS, seed=seed)
    aws = load_settings(Path(os.devnull)).aws
    with screen.progress("simulating", total_files=plan.days + plan.songs) as progress:
        written = simulate(plan, str(lake), aws, workers=0, force=False, report=progress)
    screen.say(
        f"   {counted(written.rows, 'event')} and {counted(plan.songs, 'song')} "
        f"in {counted(written.files, 'file')}."
    )
    screen.say()
    screen.say("2. Load it into a star schema, and check it.")
    # A dwh.cfg that lies about has no say in the demo.
    options = {
        "config": os.devnull,
        "engine": "duckdb",
        "database": str(database),
        "log_data": str(lake / "log_data"),
        "song_data": str(lake / "song_data"),
    }
    told = load(screen, options)
    screen.say()
    screen.say("3. Ask it.")
    answers = _ask(screen, options)
    screen.say()
    screen.say("4. Write the report: one page of charts and tables.")
    page = folder / "sparkify-report.html"
    write_report(screen, settings_from(options), options, Days(), page)
    tell_report(screen, page)
    seconds = time.monotonic() - started
    screen.say()
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    screen.say(f"Done in {seconds:.1f} s. The files are in {lake}, the warehouse is {database}.")
    screen.say("Try next:")
    sparkify, where = _command(), f"--database {shlex.quote(str(database))}"
    logs, songs = (shlex.quote(str(lake / kind)) for kind in ("log_data", "song_data"))
    for command in (
        f'{sparkify} query {where} "SELECT * FROM songplays LIMIT 5"',  # noqa: S608 - shown
        f"{sparkify} files {where} --limit 5",
        f"{sparkify} etl {where} --log-data {logs} --song-data {songs}",
    ):
        screen.show(f"  {command}")
    remove = shlex.join(["rm", "-r", str(folder)])
    screen.say(f"All of it ({size / 1e6:,.0f} MB) stays there until you remove it:", remove)
    screen.result(
        {
            "folder": str(folder),
            "bytes": size,
            "etl": told,
            "answers": answers,
            "report": str(page),
            "seconds": round(seconds, 3),
        }
    )


def _command() -> str:
    """Return what starts this program again from the current folder, ready to paste into a shell."""
    script = Path(sys.argv[0])
    if script.name != "sparkify":
        script = Path(sys.executable).with_name("sparkify")
    on_path = shutil.which("sparkify")
    if on_path and script.exists() and Path(on_path).samefile(script):
        return "sparkify"
    if not script.is_file():
        return f"{shlex.quote(sys.executable)} -m sparkify"
    script, here = script.absolute(), Path.cwd()
    below = script.is_relative_to(here) and script.parent != here  # without a slash, a shell asks PATH
    return shlex.quote(str(script.relative_to(here) if below else script))


def _ask(screen: Screen, options: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    from sparkify.warehouse.statements import list_files, statement

    answers: dict[str, list[dict[str, Any]]] = {}
    engine = open_warehouse(settings_from(options), options)
    try:
        with engine.reading():
            for path in list_files("questions"):
                step = statement(path)
                question = step.text.partition("\n")[0].removeprefix("-- ")
                answer = engine.ask(step)
                rows = list(answer.rows)
                screen.say()
                screen.table(answer.columns, rows, title=question)
                answers[question] = [dict(zip(answer.columns, row, strict=True)) for row in rows]
    finally:
        engine.close()
    return answers
