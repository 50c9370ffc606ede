"""`sparkify cluster`: the Redshift cluster's life on AWS, from a priced plan to a verified nothing."""

from __future__ import annotations

import click

from sparkify.cli.cluster import create, destroy, policy, ports, power, status
from sparkify.cli.commands import Subgroup


@click.group(cls=Subgroup, no_args_is_help=True)
def cluster() -> None:
    """Create, watch, open, pause and destroy the Redshift cluster.

    \b
    Example:
      sparkify cluster create            shows the plan and its price, then asks
      sparkify cluster status --wait
      sparkify cluster open-port         your address only
      sparkify create-tables && sparkify etl
      sparkify cluster destroy
    """


for command in (
    create.create,
    status.status,
    ports.open_port,
    ports.close_port,
    power.pause,
    power.resume,
    destroy.destroy,
    policy.policy,
):
    cluster.add_command(command)
