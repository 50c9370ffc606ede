"""What every command of `sparkify` is made of: its class, the option --debug, and what all its parts share.

A command's ``ctx.obj`` is the :class:`Session` of the invocation, from the outermost group down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import click


@dataclass(slots=True)
class Session:
    """One invocation of `sparkify`: how its errors are to be shown, and on which warehouse it works.

    Attributes:
        debug: ``--debug`` was given.
        as_json: ``--json`` was given, to a command that has it.
        places: Those of ``--config``, ``--database`` and ``--engine`` that were given.
        done: What is done for good, as a clause: for whoever interrupts it later.
        beside_error: What the JSON object of an error has besides the error.
    """

    debug: bool = False
    as_json: bool = False
    places: dict[str, str] = field(default_factory=dict)
    done: str = ""
    beside_error: dict[str, Any] = field(default_factory=dict)

    def note(self, command: click.Command, ctx: click.Context, arguments: Sequence[str]) -> None:
        """Note --debug and --json where they are options of a command, before its arguments are parsed.

        Parsing ends at the first mistake, and that mistake is to be shown as was asked for further on.
        """
        options = [each for each in command.get_params(ctx) if isinstance(each, click.Option)]
        with_value = {name for each in options if not each.is_flag for name in each.opts}
        names = {name for each in options for name in each.opts}
        rest = iter(arguments)
        for word in rest:
            if word == "--" or (isinstance(command, click.Group) and not word.startswith("-")):
                return
            if word in with_value:
                next(rest, None)
            elif word == "--debug":
                self.debug = True
            elif word == "--json" and word in names:
                self.as_json = True


def session() -> Session:
    """Return the session of the command under way."""
    return click.get_current_context().ensure_object(Session)


class _Debuggable(click.Command):
    """A command with --debug, which is not among its own parameters: it is of no interest to the command."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        *own, help_option = super().get_params(ctx)
        return [*own, _DEBUG, help_option]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.ensure_object(Session).note(self, ctx, args)
        return super().parse_args(ctx, args)


_DEBUG = click.Option(
    ["--debug"], is_flag=True, expose_value=False, help="Show a traceback when something fails."
)


class Subcommand(_Debuggable):
    """A command of `sparkify`: ``@click.command(cls=Subcommand)``."""


class Subgroup(_Debuggable, click.Group):
    """A group of commands: ``@click.group(cls=Subgroup)``; its ``@group.command()`` are of the same kind."""

    command_class = Subcommand

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            ctx.ensure_object(Session).note(_ANY, ctx, args[1:])
            from difflib import get_close_matches

            meant = get_close_matches(args[0].replace("_", "-"), self.list_commands(ctx), n=1)
            ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {meant[0]!r}?" if meant else ""))
        return super().resolve_command(ctx, args)


# What options there are where there is no such command.
_ANY = Subcommand("any", params=[click.Option(["--json", "as_json"], is_flag=True)])
