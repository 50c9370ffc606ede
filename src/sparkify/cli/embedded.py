"""A command's work called from Python: as with ``--json``, what is for people goes to stderr."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Session
from sparkify.cli.etl import load
from sparkify.cli.options import logins_of
from sparkify.cli.screen import Screen

if TYPE_CHECKING:
    from sparkify.settings import Settings

__all__ = ["load_quietly", "logins_of", "report_quietly"]


def load_quietly(options: dict[str, Any], *, full_refresh: bool, strict: bool) -> dict[str, Any]:
    """Do what ``sparkify etl --json`` does with these options; return the object it prints.

    Raises:
        SparkifyError: As the command would end with.
    """
    with click.Context(click.Command("etl"), obj=Session(as_json=True)):
        return load(Screen(as_json=True), options, full_refresh=full_refresh, strict=strict)


def report_quietly(settings: Settings, path: Path, since: date | None, until: date | None) -> Path:
    """Write the page that ``sparkify report -o PATH`` writes; return where it is.

    Raises:
        SparkifyError: As the command would end with.
    """
    from sparkify.cli.report import write_report
    from sparkify.report.numbers import Days

    with click.Context(click.Command("report"), obj=Session(as_json=True)):
        write_report(Screen(as_json=True), settings, {}, Days(since, until), path)
    return path
