"""`sparkify demo`: everything once, on data of our own making."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import click

from sparkify.cli.options import json_option, open_warehouse
from sparkify.cli.screen import Screen
from sparkify.errors import ConfigError

_USERS = 400


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--seed", type=int, default=42, show_default=True, help="Another seed is another world.")
@json_option
def demo(folder: Path | None, seed: int, as_json: bool) -> None:
    """Simulate a small month, load it into a fresh warehouse, and ask it five questions.

    Everything lies in FOLDER, which must be new; a temporary one if you name none.

    \b
    Example:
      sparkify demo
      sparkify demo my-demo
    """
    from sparkify.cli.etl import load
    from sparkify.settings import load_settings
    from sparkify.simulator.config import load_parameters
    from sparkify.simulator.run import Plan
    from sparkify.simulator.workers import simulate

    screen = Screen(as_json)
    started = time.monotonic()
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="sparkify-demo-"))
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is there already.", "Name a new folder; the demo writes over nothing.")
    lake, database = folder / "lake", folder / "sparkify.duckdb"
    screen.say(f"1. Simulate a month of {_USERS} listeners.")
    plan = Plan(parameters=load_parameters(None), users=_USERS, seed=seed)
    aws = load_settings(Path(os.devnull)).aws
    with screen.progress("simulate", total_files=plan.days + plan.songs) as progress:
        written = simulate(plan, str(lake), aws, workers=0, force=False, report=progress)
    screen.say(f"   {written.rows:,} events and {plan.songs:,} songs in {written.files:,} files.")
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
    seconds = time.monotonic() - started
    screen.say()
    screen.say(f"Done in {seconds:.1f} s. The files are in {lake}, the warehouse is {database}.")
    screen.say("Try next:")
    for command in (
        f'sparkify query --database {database} "SELECT * FROM songplays LIMIT 5"',  # noqa: S608 - shown
        f"sparkify files --database {database} --limit 5",
        f"sparkify etl --database {database} --log-data {lake / 'log_data'} --song-data {lake / 'song_data'}",
    ):
        screen.say(f"  {command}")
    screen.result({"folder": str(folder), "etl": told, "answers": answers, "seconds": round(seconds, 3)})


def _ask(screen: Screen, options: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    from sparkify.cli.options import settings_from
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
