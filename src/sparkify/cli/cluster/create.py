"""`sparkify cluster create`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import click

from sparkify.cli.cluster.common import (
    ClusterSession,
    cluster_options,
    cluster_settings,
    open_session,
    shout,
    timeout_option,
    waiting,
    write_config,
    write_option,
)
from sparkify.cli.cluster.view import describe, show_plan
from sparkify.cli.commands import Subcommand
from sparkify.cli.options import yes_option
from sparkify.errors import OK, Command, ConfigError, Hint


@click.command(cls=Subcommand)
@cluster_options
@yes_option
@click.option("--no-wait", is_flag=True, help="Return when AWS has accepted the request.")
@write_option
@timeout_option
@click.option("--expires-in", metavar="DURATION", help="8h, 2d or never: when you mean it to be gone. [1d]")
@click.option("--owner", help="Whose it is, for the bill. [default: who the credentials belong to]")
@click.option("--private", is_flag=True, help="No public endpoint: reachable from inside the VPC only.")
@click.option("--subnet-group", default="", metavar="NAME", help="Cluster subnet group. [default VPC]")
@click.option("--base-rpus", type=int, default=8, show_default=True, help="Serverless: base capacity, RPU.")
@click.option(
    "--limit-rpu-hours", type=int, default=24, show_default=True, help="Serverless: RPU-hours a day at most."
)
def create(**options: Any) -> int:
    """Create the role, the security group and the cluster; run it again to continue after a failure.

    Shows what will be made and what it will cost, asks, waits until the cluster is available and writes
    REGION, HOST and ARN into dwh.cfg. Nobody can connect before `sparkify cluster open-port`.

    \b
    Example:
      sparkify cluster create --expires-in 8h
      sparkify cluster create --serverless --yes
    """
    from sparkify.cluster import lifecycle
    from sparkify.cluster.spec import spec_from

    spec = spec_from(
        cluster_settings(options),
        base_rpus=options["base_rpus"],
        limit_rpu_hours=options["limit_rpu_hours"],
        public=not options["private"],
        subnet_group=options["subnet_group"],
    )
    if spec.serverless and options["no_wait"]:
        raise ConfigError(
            "--no-wait does not go with Serverless: its usage limit can only be set on what is there.",
            "Leave --no-wait out; it takes a minute or two.",
        )
    lifetime = _lifetime(options["expires_in"] or "1d")
    session = open_session(options)
    screen, aws, deployment = session.screen, session.aws, session.deployment
    if spec.identifier != session.settings.dwh.dwh_cluster_identifier:
        screen.warn(f"AWS keeps cluster names in lower case: {spec.identifier}")
    plan = lifecycle.plan_creation(aws, deployment, spec)
    shout(session, plan.cluster)
    renew = bool(options["expires_in"])
    if plan.cluster and not renew:
        expires = plan.cluster.expires
    else:
        expires = aws.clock() + lifetime if lifetime else None
    tags = lifecycle.tags_for(spec.identifier, options["owner"] or aws.identity.name)
    show_plan(session, spec, plan, expires)
    if not screen.confirm(f"Create this in {aws.region}?", yes=options["yes"]):
        screen.say("Nothing was made.")
        return OK
    # Before anything is made: whatever comes, the file says where to look for it.
    write_config(session, {("AWS", "REGION"): aws.region}, write=not options["no_write"])
    scope = lifecycle.scope_of(aws, session.settings)
    try:
        with waiting(screen, f"creating {spec.identifier}", options["timeout"]) as patience:
            role = lifecycle.create(
                aws,
                deployment,
                spec,
                scope,
                plan,
                tags=tags,
                expires=expires,
                renew=renew,
                patience=patience,
            )
            action = f"creating {spec.identifier}"
            if options["no_wait"]:
                found = lifecycle.wait_for(aws, deployment, None, patience, action=action)
            else:
                found = lifecycle.wait_until_available(aws, deployment, patience, action=action)
    except KeyboardInterrupt:
        screen.warn(
            Hint(
                "what AWS was asked for goes on and is billed: {} continues, {} takes it away",
                Command("cluster", "create"),
                Command("cluster", "destroy"),
            )
        )
        raise
    _announce(session, lifecycle.require(found, spec.identifier), role, options)
    return OK


def _announce(session: ClusterSession, found: Any, role: str, options: dict[str, Any]) -> None:
    """Write what was made into dwh.cfg and say what to do next."""
    from sparkify.cluster.database_login import way_in

    screen, waited = session.screen, not options["no_wait"]
    values = {("IAM_ROLE", "ARN"): role}
    if waited:
        values[("CLUSTER", "HOST")] = found.host
    if session.settings.dwh.dwh_cluster_type == "serverless":
        values[("DWH", "DWH_CLUSTER_TYPE")] = "serverless"
    write_config(session, values, write=not options["no_write"])
    screen.say(f"The cluster {found.identifier} is {found.state}{': ' + found.host if found.host else ''}")
    if found.secret:
        screen.say(f"The password of {found.user} is in Secrets Manager: {found.secret}")
    screen.say(f"A run logs in as {way_in(session.settings)}.")
    if not session.settings.s3.staging:
        screen.say(
            "[S3] STAGING is empty: each log is a COPY of its own, and songs go as literals. With a prefix "
            f"of a bucket of yours in {session.aws.region} one COPY loads all of them."
        )
    screen.advise(
        _next_steps(session.settings.cluster.transport)
        if waited
        else "Run the same command without --no-wait later: it waits, and writes HOST into dwh.cfg."
    )
    screen.result(describe(session, found) | {"role": role})


def _next_steps(transport: str) -> Hint:
    make, load = Command("create-tables"), Command("etl")
    if transport == "data-api":
        return Hint("Next: {} and {}; the Data API needs no open port.", make, load)
    return Hint("Next: {}, then {} and {}.", Command("cluster", "open-port"), make, load)


def _lifetime(text: str) -> timedelta | None:
    if text == "never":
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,3})([mhdw])", text)
    if not found:
        raise ConfigError(f"--expires-in {text} is not a duration.", "Such as 30m, 8h, 2d, 1w, or never.")
    unit = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[found[2]]
    return timedelta(**{unit: int(found[1])})
