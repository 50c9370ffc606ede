"""`sparkify cluster open-port` and `sparkify cluster close-port`."""

from __future__ import annotations

import re
from typing import Any

import click

from sparkify.cli.cluster.common import cluster_options, open_session, shout
from sparkify.cli.commands import Subcommand
from sparkify.errors import OK, ClusterError, Command, Hint


@click.command("open-port", cls=Subcommand)
@cluster_options
@click.option("--cidr", help="The network to let in. [default: your own address, /32]")
@click.option("--i-know-what-i-am-doing", "wide", is_flag=True, help="Allow a network open to strangers.")
def open_port(**options: Any) -> int:
    """Let one address connect: yours, on the cluster's port, through our own security group.

    \b
    Example:
      sparkify cluster open-port
      sparkify cluster open-port --cidr 203.0.113.7/32
    """
    from sparkify.cluster import lifecycle, network

    chosen = network.network_from(options["cidr"], wide=options["wide"]) if options["cidr"] else None
    session = open_session(options)
    screen, aws, deployment = session.screen, session.aws, session.deployment
    found = lifecycle.require(lifecycle.find_here(aws, deployment, session.settings), deployment.identifier)
    shout(session, found)
    lifecycle.require_ours(found)
    group = next((g for g in network.find_groups(aws, found.identifier) if g.id in found.groups), None)
    if group is None:
        raise ClusterError(
            f"the cluster {found.identifier} does not use a security group of ours.",
            Hint("Attach the group that {} made, in the console.", Command("cluster", "create")),
            state=found.state,
        )
    let_in = chosen or network.caller_address()
    port = found.port or session.settings.cluster.db_port
    owner = aws.identity.name
    opened = network.open_port(
        aws,
        group.id,
        let_in,
        port,
        description=re.sub(r"[^A-Za-z0-9 ._:/()#,@+=&;{}!$*-]", "-", f"sparkify open-port by {owner}"),
        tags=lifecycle.tags_for(found.identifier, owner),
    )
    if not found.public:
        screen.warn(f"{found.identifier} has no public endpoint: only addresses inside its VPC reach it")
    screen.say(f"{let_in} may connect to port {port}{'' if opened else ' (already could)'}.")
    screen.result({"identifier": found.identifier, "cidr": str(let_in), "port": port, "opened": opened})
    return OK


@click.command("close-port", cls=Subcommand)
@cluster_options
@click.option("--cidr", help="Close for this network only. [default: everything we opened]")
def close_port(**options: Any) -> int:
    """Take back what open-port let in; rules made by others stay.

    \b
    Example:
      sparkify cluster close-port
    """
    from sparkify.cluster import lifecycle, network

    only = str(network.network_from(options["cidr"], wide=True)) if options["cidr"] else None
    session = open_session(options)
    screen, aws, identifier = session.screen, session.aws, session.deployment.identifier
    shout(session, lifecycle.find_here(aws, session.deployment, session.settings))
    groups = [group.id for group in network.find_groups(aws, identifier)]
    opened = [
        rule
        for rule in network.rules(aws, groups, identifier)
        if rule.ours and (only is None or rule.source == only)
    ]
    network.close_ports(aws, opened)
    for rule in opened:
        screen.say(f"{rule.source} may no longer connect to port {rule.first_port}.")
    if not opened:
        screen.say("Nothing was open.")
    screen.result({"identifier": identifier, "closed": [rule.source for rule in opened]})
    return OK
