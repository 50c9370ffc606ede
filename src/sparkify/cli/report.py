"""`sparkify report`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import (
    json_option,
    name_of,
    open_warehouse,
    settings_from,
    warehouse_options,
)
from sparkify.cli.output import make_folder, verify_output, write_whole
from sparkify.cli.screen import Screen
from sparkify.errors import Command, ConfigError, EngineError, Hint
from sparkify.text import sized

if TYPE_CHECKING:
    from sparkify.report.numbers import Days, ReportNumbers
    from sparkify.settings import Settings
    from sparkify.warehouse.engine import Engine

_FILE = Path("sparkify-report.html")
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(cls=Subcommand)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Write the page to FILE.  [default: {_FILE}]",
    metavar="FILE",
)
@click.option("--since", type=_DAY, metavar="DATE", help="The first day (UTC).")
@click.option("--until", type=_DAY, metavar="DATE", help="The last day (UTC), included.")
@click.option("--open", "opens", is_flag=True, help="Show the page in a browser.")
@warehouse_options
@json_option
def report(
    output: Path | None,
    since: datetime | None,
    until: datetime | None,
    opens: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Write a dashboard: one HTML file that needs no server and no network.

    Each panel has a table, what its numbers mean and the SQL that computes them; most have a chart.
    With --json the numbers go to stdout, and a page is written only with -o or --open.

    \b
    Example:
      sparkify report --open
      sparkify report --since 2018-11-01 --until 2018-11-30 -o november.html
      sparkify report --json
    """
    from sparkify.report.numbers import Days

    days = Days(since.date() if since else None, until.date() if until else None)
    if days.since and days.until and days.since > days.until:
        raise ConfigError(f"--since {days.since} is after --until {days.until}.", "Exchange them.")
    screen = Screen(as_json)
    path = output or (None if as_json and not opens else _FILE)
    settings = settings_from(options)
    numbers, place = write_report(screen, settings, options, days, path)
    screen.say(f"Warehouse: {place}")
    if path is not None:
        tell_report(screen, path)
    told: dict[str, Any] = {
        "warehouse": numbers.warehouse,
        "since": days.since,
        "until": days.until,
        "first_play": numbers.first_play,
        "last_play": numbers.last_play,
        "made_at": numbers.made_at,
        "panels": {
            name: {
                "title": each.title,
                "definition": each.definition,
                "sql": each.sql,
                "rows": each.records(),
            }
            for name, each in numbers.panels.items()
        },
    }
    if path is not None:
        told["report"] = str(path)
        if opens:
            _open(screen, path)
    screen.result(told)


def write_report(
    screen: Screen, settings: Settings, options: dict[str, Any], days: Days, path: Path | None
) -> tuple[ReportNumbers, str]:
    """Compute the report's numbers, and write the page where a path is given.

    Returns:
        The numbers, and the warehouse for people.

    Raises:
        EngineError: There is no warehouse, or it is of an older version without today's views.
        ConfigError: The file cannot be written.
    """
    from sparkify.report.numbers import gather
    from sparkify.report.page import write_page
    from sparkify.warehouse.connect import require
    from sparkify.warehouse.ledger import now

    engine = open_warehouse(settings, options)
    try:
        with engine.reading() as exists:
            require(engine, exists=exists)
            _require_views(engine)
            if path is not None:
                verify_output(path, settings, engine)
                make_folder(path)
            with screen.progress("computing the report") as progress:
                numbers = gather(
                    engine,
                    days,
                    warehouse=_title(settings),
                    made_at=now(),
                    on_panel=lambda title: progress(label=f"computing the report: {title}"),
                )
        place = name_of(settings, engine)
    finally:
        engine.close()
    if path is not None:
        write_whole(path, write_page(numbers))
    return numbers, place


def tell_report(screen: Screen, path: Path) -> None:
    """Say where the page is; what is no regular file, such as a pipe, has no size."""
    size = f" ({sized(path.stat().st_size)})" if path.is_file() else ""
    screen.say(f"Wrote the report to {path}{size}.")


def _require_views(engine: Engine) -> None:
    from sparkify.warehouse.ledger import read_meta
    from sparkify.warehouse.version import find_upgrade

    meta = read_meta(engine)
    if meta is None or find_upgrade(meta).definitions:
        raise EngineError(
            f"the report needs tables and views of this version, and {engine.place} has older ones.",
            Hint("{} makes them; the report can be written then.", Command("upgrade")),
        )


def _title(settings: Settings) -> str:
    """Return what the page calls the warehouse: it may be sent to others, so no folder and no host."""
    if settings.dwh.engine == "redshift":
        return f"{settings.cluster.db_name} on Redshift"
    return f"{Path(settings.dwh.database).name} on DuckDB"


def _open(screen: Screen, path: Path) -> None:
    import webbrowser

    if not webbrowser.open(path.absolute().as_uri()):
        screen.warn(f"no browser could be started; open {path} in one.")
