"""A command's work called from Python: as with ``--json``, what is for people goes to stderr."""

from __future__ import annotations

from typing import Any

import click

from sparkify.cli.commands import Session
from sparkify.cli.etl import load
from sparkify.cli.screen import Screen


def load_quietly(options: dict[str, Any], *, full_refresh: bool, strict: bool) -> dict[str, Any]:
    """Do what ``sparkify etl --json`` does with these options; return the object it prints.

    Raises:
        SparkifyError: As the command would end with.
    """
    with click.Context(click.Command("etl"), obj=Session(as_json=True)):
        return load(Screen(as_json=True), options, full_refresh=full_refresh, strict=strict)
