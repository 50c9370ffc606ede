"""`sparkify cluster status`, and its exit codes."""

from __future__ import annotations

from typing import Any

import click

from sparkify.cli.cluster.common import cluster_options, open_session, shout, timeout_option, waiting
from sparkify.cli.cluster.view import describe, show_status
from sparkify.cli.commands import Subcommand
from sparkify.errors import OK, Command, Hint

# `status` says more than done and failed, so that a script can tell "poll again" from "give up".
CHANGING = 4
IS_PAUSED = 5
ABSENT = 6


@click.command(cls=Subcommand)
@cluster_options
@click.option("--wait", "wait", is_flag=True, help="Wait until it is available, paused or failed.")
@timeout_option
def status(**options: Any) -> int:
    """Show the cluster's state, endpoint, role, age, cost, expiry and who may connect.

    \b
    Exit codes: 0 available, 1 failed or half made, 2 in another region, 4 changing (poll again), 5 paused,
    6 no such cluster.

    \b
    Example:
      sparkify cluster status
      until sparkify cluster status; do sleep 30; done
    """
    from sparkify.cluster import lifecycle
    from sparkify.cluster.deployment import AVAILABLE, FAILED, INCOMPLETE, PAUSED

    session = open_session(options)
    screen, aws, deployment = session.screen, session.aws, session.deployment
    found = lifecycle.find_here(aws, deployment, session.settings)
    if found and options["wait"]:
        with waiting(screen, f"waiting for {deployment.identifier}", options["timeout"]) as patience:
            found = lifecycle.wait_for(
                aws,
                deployment,
                {AVAILABLE, PAUSED, INCOMPLETE} | FAILED,
                patience,
                action=f"waiting for {deployment.identifier}",
                wrong=(),
            )
    shout(session, found)
    if found is None:
        screen.say(f"There is no cluster {deployment.identifier} in {aws.region}.")
        screen.result({"identifier": deployment.identifier, "state": "absent", "region": aws.region})
        return ABSENT
    described = describe(session, found)
    show_status(screen, described)
    if found.state == INCOMPLETE:
        screen.advise(
            Hint("It was left half made: run {} again, or `destroy`.", Command("cluster", "create"))
        )
    screen.result(described)
    if found.state in FAILED | {INCOMPLETE}:
        return 1
    return {AVAILABLE: OK, PAUSED: IS_PAUSED}.get(found.state, CHANGING)
