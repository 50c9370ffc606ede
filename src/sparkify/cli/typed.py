"""Commands as one would type them: with the options that say which warehouse it is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping
from typing import Any

import click
from click.core import ParameterSource

# The options that say which warehouse it is.
PLACES = ("config", "database", "engine")
# Where click's contexts keep those that were given.
_META = "sparkify.places"
_COMMAND = re.compile(r"`sparkify ([^`]+)`")


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
            words.append(parameter.opts[0])
            if value is not True:
                words.append(f"{value:g}" if isinstance(value, float) else str(value))
    return shlex.join(words)


def remember_places(options: Mapping[str, Any]) -> None:
    """Note which warehouse the command under way was told to use, for :func:`with_places`."""
    if context := click.get_current_context(silent=True):
        # Shared with the contexts above it, so it outlives the command.
        context.meta[_META] = {name: options[name] for name in PLACES if options.get(name) is not None}


def with_places(text: str) -> str:
    """Return a text whose commands are on the same warehouse as the one under way.

    What the pipeline and the engines say names `sparkify files` and knows of no options; each command gets
    those that were given and that it has.
    """
    context = click.get_current_context(silent=True)
    given: Mapping[str, Any] = context.meta.get(_META, {}) if context else {}
    if not context or not given:
        return text
    root = context.find_root()

    def on_same_warehouse(match: re.Match[str]) -> str:
        words = match[1].split()
        command: click.Command | None = root.command
        for word in words:
            if isinstance(command, click.Group):
                command = command.get_command(root, word)
        has = {parameter.name for parameter in command.params} if command else set()
        wanted = [name for name in PLACES if name in given and name in has and f"--{name}" not in words]
        options = [shlex.join([f"--{name}", str(given[name])]) for name in wanted]
        return f"`{' '.join(['sparkify', match[1], *options])}`"

    return _COMMAND.sub(on_same_warehouse, text)
