"""`sparkify cluster policy`."""

from __future__ import annotations

import json
import re
from typing import Any

import click

from sparkify.cli.cluster.common import cluster_options, cluster_settings
from sparkify.cli.commands import Subcommand
from sparkify.errors import OK, ClusterError, ConfigError


@click.command(cls=Subcommand)
@cluster_options
@click.argument("whose", type=click.Choice(["operator", "copy", "etl"]))
@click.option("--account", default="", metavar="ID", help="The account. [default: the credentials' own]")
@click.option("--trust", is_flag=True, help="With copy: who may assume the role, instead of what it may do.")
def policy(whose: str, account: str, trust: bool, **options: Any) -> int:
    """Print a least-privilege policy document, so that nobody needs AdministratorAccess.

    \b
    operator  who runs `sparkify cluster`
    copy      the role the cluster reads S3 with
    etl       who runs `sparkify etl`

    \b
    Example:
      sparkify cluster policy operator --account 123456789012 > operator.json
    """
    from sparkify.cluster import credentials
    from sparkify.cluster import policy as documents
    from sparkify.cluster.lifecycle import scope_of

    if account and not re.fullmatch(r"[0-9]{12}", account):
        raise ConfigError(f"--account {account} is not an account id.", "It has 12 digits.")
    if trust and whose != "copy":
        raise ConfigError("--trust goes with copy only: the others are users, not roles.", "Leave it out.")
    settings = cluster_settings(options)
    try:
        scope = scope_of(credentials.connect(settings), settings, account)
    except ClusterError as exc:
        raise ClusterError(
            f"the account is not known: {exc.message}", "Name it: --account 123456789012."
        ) from exc
    document = documents.trust(scope) if trust else documents.DOCUMENTS[whose](scope)
    # The document is the result, with --json or without.
    click.echo(json.dumps(document, indent=2))
    return OK
