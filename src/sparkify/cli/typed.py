"""Commands as one would type them: with the options that say which warehouse it is."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import click
from click.core import ParameterSource

from sparkify.cli.commands import Session
from sparkify.errors import Command, Hint

# The options that say which warehouse it is.
PLACES = ("config", "database", "engine")


def again(*, without: Collection[str] = ()) -> str:
    """Return the command under way as one would type it, with the options that were given.

    Args:
        without: Parameters to leave out, by name.
    """
    context = click.get_current_context()
    words = context.command_path.split()
    for parameter in context.command.params:
        name = str(parameter.name)
        if name not in without and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            value = context.params[name]
            if isinstance(parameter, click.Argument):
                words += map(str, value) if isinstance(value, tuple) else [str(value)]
                continue
            words.append(parameter.opts[0])
            if value is not True:
                words.append(_as_typed(value))
    return shlex.join(words)


def _as_typed(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def remember_places(options: Mapping[str, Any]) -> None:
    """Note which warehouse the command under way was told to use, for :func:`advice`."""
    if context := click.get_current_context(silent=True):
        places = {name: str(options[name]) for name in PLACES if options.get(name) is not None}
        context.ensure_object(Session).places = places


def advice(text: str) -> str:
    """Return a text whose commands are on the same warehouse as the one under way."""
    context = click.get_current_context(silent=True)
    if not context:
        return text
    root = context.find_root()
    return typed(text, root.command, context.ensure_object(Session).places)


def typed(text: str, root: click.Command, places: Mapping[str, str]) -> str:
    """Return a text whose commands have the options that say which warehouse it is.

    The pipeline and the engines know of no options: each command gets those that were given and that it has.

    Args:
        text: A :class:`~sparkify.errors.Hint`; any other text is returned as it is.
        root: The `sparkify` command.
        places: The options that were given, by name.
    """

    def show(command: Command) -> str:
        has = {parameter.name for parameter in find_command(command, root).params}
        wanted = [name for name in places if name in has and f"--{name}" not in command.words]
        options = [shlex.join([f"--{name}", places[name]]) for name in wanted]
        return str(Command(*command.words, *options))

    return text.rendered(show) if isinstance(text, Hint) else text


def find_command(command: Command, root: click.Command) -> click.Command:
    """Return the click command that a hint's command is.

    Raises:
        KeyError: There is no such command.
    """
    found = root
    for word in command.words:
        if not isinstance(found, click.Group):
            break
        child = found.get_command(click.Context(found), word)
        if child is None:
            raise KeyError(str(command))
        found = child
    return found
