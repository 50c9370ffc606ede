"""`sparkify cluster destroy`."""

from __future__ import annotations

import sys
from typing import Any

import click

from sparkify.cli.cluster.common import (
    ClusterSession,
    cluster_options,
    open_session,
    shout,
    timeout_option,
    waiting,
    write_config,
    write_option,
)
from sparkify.cli.commands import Subcommand
from sparkify.errors import OK, ConfigError, Hint, SparkifyError


@click.command(cls=Subcommand)
@cluster_options
@click.option("--yes", is_flag=True, help="Do not ask for the cluster's name.")
@click.option("--skip-final-snapshot", is_flag=True, help="Keep no copy of the data.")
@write_option
@timeout_option
def destroy(**options: Any) -> int:
    """Delete the cluster and everything made for it, then verify that nothing billable is left.

    Takes a final snapshot unless told not to. Run again after a failure it continues; when all is gone
    it says so and exits 0.

    \b
    Example:
      sparkify cluster destroy
      sparkify cluster destroy --yes --skip-final-snapshot
    """
    from sparkify.cluster import lifecycle, teardown

    session = open_session(options)
    screen, aws, deployment = session.screen, session.aws, session.deployment
    identifier = deployment.identifier
    found = teardown.remains(aws, deployment, session.settings)
    shout(session, found.cluster)
    if found.cluster:
        lifecycle.require_ours(found.cluster)
    kept: list[str] = []
    if found:
        snapshot = ""
        if found.cluster and not options["skip_final_snapshot"]:
            snapshot = f"{identifier}-final-{aws.clock():%Y%m%d-%H%M%S}"
        where = f"In {aws.region}, account {aws.identity.account}:"
        screen.table(["will go", "name"], found.listed(), title=where)
        if snapshot:
            screen.say(f"A final snapshot is taken and stays, billed as storage: {snapshot}")
        elif found.cluster:
            screen.say("No final snapshot is taken: the data is gone for good.")
        _ask_name(identifier, yes=options["yes"])
        with waiting(screen, f"deleting {identifier}", options["timeout"]) as patience:
            kept = teardown.destroy(aws, deployment, found, final_snapshot=snapshot, patience=patience)
    snapshots = teardown.verify_gone(aws, deployment, session.settings, kept_role=bool(kept))
    _forget(session, write=not options["no_write"])
    screen.say(
        f"The cluster {identifier} in {aws.region} is {'gone' if found else 'already gone'}, "
        "and nothing made for it is left there."
    )
    for sentence in kept:
        screen.say(f"Kept: {sentence}.")
    for taken in snapshots:
        screen.say(f"Kept and billed as storage: snapshot {taken.name} ({taken.state}).")
    screen.result(
        {
            "identifier": identifier,
            "state": "absent",
            "region": aws.region,
            "already_gone": not found,
            "kept": kept,
            "snapshots": [taken.name for taken in snapshots],
        }
    )
    return OK


def _ask_name(identifier: str, *, yes: bool) -> None:
    if yes:
        return
    question = f"Type the cluster's name to destroy it ({identifier})"
    if not sys.stdin.isatty():
        raise ConfigError(f"{question}: there is no terminal to ask on.", "Say --yes to go ahead.")
    typed = click.prompt(question, err=True, default="", show_default=False)
    if typed.strip() != identifier:
        raise ConfigError(f"{typed.strip()!r} is not {identifier!r}: nothing was changed.", "Type the name.")


def _forget(session: ClusterSession, *, write: bool) -> None:
    """Empty HOST, and ARN with it, when they are of the cluster that is gone."""
    settings, identifier = session.settings, session.deployment.identifier
    if settings.path and settings.cluster.host.startswith(f"{identifier}."):
        values = {("CLUSTER", "HOST"): ""}
        if settings.iam_role.arn.endswith(f"/{settings.dwh.dwh_iam_role_name}"):
            values[("IAM_ROLE", "ARN")] = ""
        try:
            write_config(session, values, write=write)
        except SparkifyError as exc:
            session.screen.warn(Hint("{} {}", exc.message, exc.hint))
