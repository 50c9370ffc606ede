"""`sparkify retain`: what is old out of the warehouse."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import (
    json_option,
    name_of,
    open_warehouse,
    settings_from,
    warehouse_options,
    yes_option,
)
from sparkify.cli.screen import Screen, rolled_back_if_interrupted
from sparkify.cli.typed import again
from sparkify.errors import OK, Command, ConfigError, Hint
from sparkify.settings.keys import read_days
from sparkify.text import counted

if TYPE_CHECKING:
    from sparkify.pipeline.retention import FoundOlder


@click.command(cls=Subcommand)
@click.option("--older-than", metavar="DAYS", help="Such as 400d. [default: RETAIN of dwh.cfg]")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="Count back from this day. [default: today, UTC]",
)
@click.option("--plan", "only_plan", is_flag=True, help="Only say what would be erased.")
@yes_option
@warehouse_options
@json_option
def retain(
    older_than: str | None, as_of: datetime | None, only_plan: bool, yes: bool, as_json: bool, **options: Any
) -> int:
    """Erase events that are older than so many days, and what was rejected then.

    The last so many whole days (UTC) stay, and what is left is what loading them alone gives. Later
    deliveries of older events stay out, whatever RETAIN says then. With RETAIN in dwh.cfg each `etl` does it.

    \b
    Example:
      sparkify retain --older-than 400d --plan
      sparkify retain --older-than 400d
    """
    from sparkify.custom.definitions import read_folder
    from sparkify.pipeline import retention

    screen = Screen(as_json)
    settings = settings_from(options)
    days = settings.dwh.retain if older_than is None else _days(older_than)
    if days is None:
        raise ConfigError(
            "nobody said how old is too old.",
            "Say --older-than 400d, or set RETAIN in section [DWH] of dwh.cfg.",
        )
    now = datetime.now(UTC).date()
    today = as_of.date() if as_of else now
    if today > now:
        raise ConfigError(
            f"--as-of is {today}, which is still to come: what is newer than it would stay out, too.",
            "Name a day that has begun (UTC).",
        )
    before = retention.bound_of(days, today)
    first_kept = _day(before)
    models = read_folder(settings.dwh.models)
    engine = open_warehouse(settings, options, writes=True)
    try:
        found = retention.find_older(engine, before, models)
        screen.say(f"Warehouse: {name_of(settings, engine)}")
        _show(screen, found, first_kept)
        told: dict[str, Any] = {
            "before": first_kept,
            "events": found.events,
            "plays": found.plays,
            "rejects": found.rejects,
            "files": found.files,
        }
        if only_plan:
            screen.say("Nothing was changed. To do it:", again(without=("only_plan", "as_json")))
            screen.result({**told, "erased": False})
            return OK
        if not screen.confirm(f"Erase what is before {first_kept}, for good?", yes=yes):
            screen.say("Nothing was changed.")
            screen.result({**told, "erased": False})
            return OK
        with (
            screen.progress("removing rows") as progress,
            rolled_back_if_interrupted("what was erased is committed"),
        ):
            run = retention.retain(engine, before, progress, models)
    finally:
        engine.close()
    screen.say(f"Done: {counted(run.rows_erased, 'record is', 'records are')} erased (run {run.run_id}).")
    if engine.name == "duckdb":
        screen.advise(Hint("The file keeps the space for later runs; {} gives it back.", Command("compact")))
    screen.result({**told, "erased": True, "run_id": run.run_id, "rows_erased": run.rows_erased})
    return OK


def _days(text: str) -> int | None:
    try:
        return read_days(text)
    except ValueError:
        raise ConfigError(
            f"--older-than is {text!r}; expected a number of days such as 400d.", "Say --older-than 400d."
        ) from None


def _show(screen: Screen, found: FoundOlder, first_kept: date) -> None:
    span = f" ({_day(found.first_ts)} to {_day(found.last_ts or 0)})" if found.first_ts is not None else ""
    screen.say(
        f"Before {first_kept}: {counted(found.events, 'event')}{span}, "
        f"{counted(found.plays, 'play')} among them; {counted(found.rejects, 'rejected record')}; "
        f"{counted(len(found.files), 'file')} with nothing else."
    )


def _day(moment: int) -> date:
    return date(1970, 1, 1) + timedelta(milliseconds=moment)
