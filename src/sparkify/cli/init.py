"""`sparkify init`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import json_option
from sparkify.cli.screen import Screen
from sparkify.errors import Command, ConfigError, Hint
from sparkify.settings import DEFAULT_PATH, template


@click.command(cls=Subcommand)
@click.argument("path", type=click.Path(path_type=Path), default=DEFAULT_PATH)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@json_option
def init(path: Path, force: bool, as_json: bool) -> None:
    """Write a commented dwh.cfg, readable by you alone.

    \b
    Example:
      sparkify init
    """
    screen = Screen(as_json)
    if path.exists() and not force:
        raise ConfigError(f"{path} exists already; it was not touched.", "Edit it, or say --force.")
    try:
        # It will hold a password: nobody else may read it, from the first byte on.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, 0o600)  # with --force the file was there, with a mode of its own
            file.write(template())
    except OSError as exc:
        raise ConfigError(f"{path} cannot be written: {exc.strerror}.", "Choose another place.") from exc
    screen.advise(
        Hint("Wrote {}. Fill in LOG_DATA and SONG_DATA, then: {}", str(path), Command("etl", "--plan"))
    )
    screen.result({"path": str(path)})
