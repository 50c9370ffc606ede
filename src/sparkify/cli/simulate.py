"""`sparkify simulate`: songs and activity logs of any size, in the real layout."""

from __future__ import annotations

import tempfile
import time
from contextlib import nullcontext
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import json_option, settings_from
from sparkify.cli.screen import Screen
from sparkify.cli.stopping import answering
from sparkify.errors import Command, ConfigError, Hint
from sparkify.text import counted

if TYPE_CHECKING:  # the simulator imports numpy, which `sparkify --help` must not wait for
    from sparkify.settings import AwsSettings
    from sparkify.simulator.compare import Profile
    from sparkify.simulator.world import SimulationPlan


@click.command(cls=Subcommand)
@click.argument("out", required=False)
@click.option("--songs", type=int, default=500, show_default=True, help="Songs of the catalogue.")
@click.option("--users", type=int, help="Listeners on the first day. [default: 100]")
@click.option("--events", type=int, help="About so many events, instead of --users.")
@click.option("--days", type=int, help="Days of logs. [default: 30]")
@click.option("--start", default="2018-11-01", show_default=True, metavar="DATE", help="The first day (UTC).")
@click.option("--end", metavar="DATE", help="The last day, instead of --days.")
@click.option(
    "--seed", type=int, default=42, show_default=True, help="A different seed gives different data."
)
@click.option("--growth-rate", type=float, default=0.0, help="Yearly growth of listeners: 0.2 is a fifth.")
@click.option("--attrition-rate", type=float, default=0.0, help="Share of listeners who leave within a year.")
@click.option(
    "--known-songs",
    type=float,
    default=0.8,
    show_default=True,
    help="Share of plays whose song is in the catalogue.",
)
@click.option("--song-data", default="", metavar="URI", help="Play this catalogue instead of making one.")
@click.option("--tag", default="", help="Add a field `tag` with this value, for A/B tests.")
@click.option(
    "--compression", type=click.Choice(["none", "gzip", "zstd"]), default="none", help="Of the log files."
)
@click.option("--churn", is_flag=True, help="Listeners have reasons to leave, and truth.json tells who left.")
@click.option("--dirty", is_flag=True, help="Add what real lakes have, and truth.json with what is right.")
@click.option("--config", "parameters", metavar="FILE", help="TOML: the state machine and every parameter.")
@click.option(
    "--print-config",
    is_flag=True,
    help="Show every parameter with its default, or what --churn adds to them; and stop.",
)
@click.option("--compare", metavar="DIR", help="Compare simulated logs with real ones.")
@click.option("--workers", type=int, default=0, help="Processes. [default: one a processor, if worth it]")
@click.option("--force", is_flag=True, help="Replace an earlier simulation in OUT.")
@json_option
def simulate(
    out: str | None, as_json: bool, print_config: bool, compare: str | None, churn: bool, **options: Any
) -> None:
    """Write songs and activity logs below OUT, a folder or s3:// prefix.

    \b
    Example:
      sparkify simulate lake                            a small month: 100 listeners
      sparkify simulate lake --events 1000000 --days 7  a million events in a week
      sparkify simulate lake --dirty                    with everything that goes wrong
      sparkify simulate lake --churn --users 500        who will leave, and why?
      sparkify simulate --compare my/log_data --users 2000

    OUT/song_data and OUT/log_data are laid out as the real ones are; the same options and seed give the
    same bytes. docs/simulator.md says how the listeners behave.
    """
    from sparkify.simulator.config import default_text

    screen = Screen(as_json)
    if print_config:
        click.echo(default_text(churn=churn), nl=False)
        return
    if out is None and compare is None:
        raise ConfigError(
            "OUT is missing.", Hint("Name a folder or s3:// prefix: {}.", Command("simulate", "lake"))
        )
    aws = settings_from({}).aws
    plan = _plan(options, aws, churn=churn)
    real = None if compare is None else _profile(compare, aws)  # before the work, should it not be there
    with tempfile.TemporaryDirectory(prefix="sparkify-") if out is None else nullcontext(out) as place:
        result = _write(screen, plan, place, aws, options)
        if out is None:
            result["out"] = None
        else:
            screen.say(f"Logs:  {out}/log_data")
            screen.say(f"Songs: {plan.song_data or out + '/song_data'}")
        if compare is not None and real is not None:
            ours = _profile(f"{place.rstrip('/')}/log_data", aws)
            result["compare"] = _compare(screen, ours, real, compare)
    screen.result(result)


def _plan(options: dict[str, Any], aws: AwsSettings, *, churn: bool) -> SimulationPlan:
    from sparkify.simulator.config import load_parameters
    from sparkify.simulator.world import SimulationPlan, users_for

    for one, other in (("users", "events"), ("days", "end")):
        if options[one] is not None and options[other] is not None:
            raise ConfigError(f"--{one} and --{other} say the same in two ways.", "Give one of them.")
    if options["workers"] < 0:
        raise ConfigError(f"--workers is {options['workers']}.", "Make it 1 or more, or leave it out.")
    start = _date("--start", options["start"])
    days = 30 if options["days"] is None else options["days"]
    if options["end"] is not None:
        end = _date("--end", options["end"])
        if end < start:
            raise ConfigError(f"--start {start} is after --end {end}.", "Exchange them.")
        days = (end - start).days + 1
    path = options["parameters"]
    names = (
        "songs",
        "seed",
        "growth_rate",
        "attrition_rate",
        "known_songs",
        "song_data",
        "tag",
        "compression",
        "dirty",
    )
    plan = SimulationPlan(
        parameters=load_parameters(Path(path) if path else None, churn=churn),
        start=start,
        days=days,
        users=100 if options["users"] is None else options["users"],
        **{name: options[name] for name in names},
    )
    if options["events"] is not None:
        plan = replace(plan, users=users_for(options["events"], plan, aws))
    return plan


def _date(name: str, text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise ConfigError(f"{name} is {text!r}.", "Write a date such as 2018-11-01.") from None


def _write(
    screen: Screen, plan: SimulationPlan, out: str, aws: AwsSettings, options: dict[str, Any]
) -> dict[str, Any]:
    from sparkify.simulator.workers import simulate as run

    started = time.monotonic()
    with (
        screen.progress(
            f"simulating {counted(plan.users, 'listener')}, {counted(plan.days, 'day')}"
        ) as progress,
        answering("files that are whole stay"),
    ):
        counts = run(plan, out, aws, workers=options["workers"], force=options["force"], report=progress)
    seconds = time.monotonic() - started
    screen.say(
        f"{counted(counts.rows, 'event')} of {counted(plan.users, 'listener')} "
        f"on {counted(plan.days, 'day')}, "
        f"{counts.size / 1e6:,.1f} MB in {counted(counts.files, 'file')}, "
        f"{seconds:,.1f} s ({counts.rows / seconds:,.0f} events/s)."
    )
    return {
        "out": out,
        "users": plan.users,
        "days": plan.days,
        "seed": plan.seed,
        "events": counts.rows,
        "files": counts.files,
        "bytes": counts.size,
        "seconds": round(seconds, 3),
    }


def _profile(logs: str, aws: AwsSettings) -> Profile:
    from sparkify.lake.stores import open_store
    from sparkify.simulator.compare import read_profile

    return read_profile(open_store(logs, aws))


def _compare(screen: Screen, ours: Profile, theirs: Profile, name: str) -> list[dict[str, Any]]:
    from sparkify.simulator.compare import distances

    found = distances(ours, theirs)
    screen.say()
    screen.table(
        ["compared", "measure", "distance", "at most", "within"],
        [[d.name, d.measure, d.value, d.bound, d.within] for d in found],
        title=f"{counted(ours.events, 'simulated event')} beside {theirs.events:,} of {name}:",
    )
    return [asdict(d) | {"within": d.within} for d in found]
