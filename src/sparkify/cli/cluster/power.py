"""`sparkify cluster pause` and `sparkify cluster resume`."""

from __future__ import annotations

from typing import Any

import click

from sparkify.cli.cluster.common import cluster_options, open_session, shout, timeout_option, waiting
from sparkify.cli.commands import Subcommand
from sparkify.errors import OK


@click.command(cls=Subcommand)
@cluster_options
@timeout_option
def pause(**options: Any) -> int:
    """Stop the nodes: compute is no longer billed, storage is.

    \b
    Example:
      sparkify cluster pause
    """
    return _switch(options, "pause")


@click.command(cls=Subcommand)
@cluster_options
@timeout_option
def resume(**options: Any) -> int:
    """Start a paused cluster again.

    \b
    Example:
      sparkify cluster resume
    """
    return _switch(options, "resume")


def _switch(options: dict[str, Any], verb: str) -> int:
    from sparkify.cluster import lifecycle
    from sparkify.cluster.deployment import AVAILABLE, PAUSED

    session = open_session(options)
    deployment = session.deployment
    found = lifecycle.require(
        lifecycle.find_here(session.aws, deployment, session.settings), deployment.identifier
    )
    shout(session, found)
    lifecycle.require_ours(found)
    wanted = PAUSED if verb == "pause" else AVAILABLE
    on_its_way = f"{verb.removesuffix('e')}ing"
    if found.state != wanted:
        if found.state != on_its_way:
            getattr(deployment, verb)()
        with waiting(session.screen, f"{on_its_way} {found.identifier}", options["timeout"]) as patience:
            found = lifecycle.require(
                lifecycle.wait_for(
                    session.aws, deployment, {wanted}, patience, action=f"{on_its_way} {found.identifier}"
                ),
                deployment.identifier,
            )
    session.screen.say(f"The cluster {found.identifier} is {found.state}.")
    session.screen.result({"identifier": found.identifier, "state": found.state})
    return OK
