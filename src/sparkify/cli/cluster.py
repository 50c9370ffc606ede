"""`sparkify cluster`: the Redshift cluster's life on AWS, from a priced plan to a verified nothing."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from sparkify.cli.cluster_view import Session, describe, show_plan, show_status
from sparkify.cli.options import json_option, settings_from, yes_option
from sparkify.cli.screen import Screen
from sparkify.errors import OK, ClusterError, ConfigError, SparkifyError
from sparkify.settings import DEFAULT_PATH, Settings

F = TypeVar("F", bound=Callable[..., Any])

# `status` says more than done and failed, so that a script can tell "poll again" from "give up".
CHANGING = 4
IS_PAUSED = 5
ABSENT = 6


@click.group(no_args_is_help=True)
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


def _common(command: F) -> F:
    for decorate in (
        json_option,
        click.option("--serverless", is_flag=True, help="Redshift Serverless instead of nodes."),
        click.option("--config", metavar="FILE", help="The configuration. [default: dwh.cfg, if there]"),
    ):
        command = decorate(command)
    return command


_write_option = click.option("--no-write", is_flag=True, help="Leave dwh.cfg alone; only print.")
_timeout_option = click.option(
    "--timeout", type=click.FloatRange(min=0), default=30, show_default=True, help="Minutes to wait at most."
)


def _settings(options: dict[str, Any]) -> Settings:
    settings = settings_from(options)
    if options["serverless"]:
        settings = replace(settings, dwh=replace(settings.dwh, dwh_cluster_type="serverless"))
    return settings


def _session(options: dict[str, Any]) -> Session:
    from sparkify.cluster import credentials
    from sparkify.cluster.lifecycle import deployment_of

    settings = _settings(options)
    screen = Screen(as_json=options["as_json"])
    for exposure in credentials.exposures(settings):
        screen.warn(exposure)
    aws = credentials.connect(settings)
    return Session(screen, settings, aws, deployment_of(aws, settings))


@contextmanager
def _patience(screen: Screen, label: str, minutes: float) -> Iterator[Any]:
    from sparkify.cluster.waiting import Patience

    with screen.progress(label) as progress:
        yield Patience(timeout=minutes * 60, show=lambda text: progress(label=text))


@cluster.command()
@_common
@yes_option
@click.option("--no-wait", is_flag=True, help="Return when AWS has accepted the request.")
@_write_option
@_timeout_option
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
    HOST and ARN into dwh.cfg. Nobody can connect before `sparkify cluster open-port`.

    \b
    Example:
      sparkify cluster create --expires-in 8h
      sparkify cluster create --serverless --yes
    """
    from sparkify.cluster import lifecycle
    from sparkify.cluster.rules import spec_from

    spec = spec_from(
        _settings(options),
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
    session = _session(options)
    screen, aws, deployment = session.screen, session.aws, session.deployment
    if spec.identifier != session.settings.dwh.dwh_cluster_identifier:
        screen.warn(f"AWS keeps cluster names in lower case: {spec.identifier}")
    plan = lifecycle.plan_creation(aws, deployment, spec)
    _shout(session, plan.cluster)
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
    scope = lifecycle.scope_of(aws, session.settings)
    try:
        with _patience(screen, f"creating {spec.identifier}", options["timeout"]) as patience:
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
            "what AWS was asked for goes on and is billed: `sparkify cluster create` continues,"
            " `sparkify cluster destroy` takes it away"
        )
        raise
    _announce(session, lifecycle.require(found, spec.identifier), role, options)
    return OK


def _announce(session: Session, found: Any, role: str, options: dict[str, Any]) -> None:
    """Write what was made into dwh.cfg and say what to do next."""
    screen, waited = session.screen, not options["no_wait"]
    values = {("IAM_ROLE", "ARN"): role}
    if waited:
        values[("CLUSTER", "HOST")] = found.host
    if session.settings.dwh.dwh_cluster_type == "serverless":
        values[("DWH", "DWH_CLUSTER_TYPE")] = "serverless"
    _write(session, values, write=not options["no_write"])
    screen.say(f"The cluster {found.identifier} is {found.state}{': ' + found.host if found.host else ''}")
    if found.secret:
        screen.say(f"The password of {found.user} is in Secrets Manager: {found.secret}")
    screen.say(
        "Next: sparkify cluster open-port, then sparkify create-tables and sparkify etl."
        if waited
        else "Run the same command without --no-wait later: it waits, and writes HOST into dwh.cfg."
    )
    screen.result(describe(session, found) | {"role": role})


def _lifetime(text: str) -> timedelta | None:
    if text == "never":
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,3})([mhdw])", text)
    if not found:
        raise ConfigError(f"--expires-in {text} is not a duration.", "Such as 30m, 8h, 2d, 1w, or never.")
    unit = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[found[2]]
    return timedelta(**{unit: int(found[1])})


@cluster.command()
@_common
@click.option("--wait", "wait", is_flag=True, help="Wait until it is available, paused or failed.")
@_timeout_option
def status(**options: Any) -> int:
    """Show the cluster's state, endpoint, role, age, cost, expiry and who may connect.

    \b
    Exit codes: 0 available, 1 failed or half made, 4 changing (poll again), 5 paused, 6 no such cluster.

    \b
    Example:
      sparkify cluster status
      until sparkify cluster status; do sleep 30; done
    """
    from sparkify.cluster import lifecycle
    from sparkify.cluster.deployment import AVAILABLE, FAILED, INCOMPLETE, PAUSED

    session = _session(options)
    screen, aws, deployment = session.screen, session.aws, session.deployment
    found = deployment.find()
    if found and options["wait"]:
        with _patience(screen, f"waiting for {deployment.identifier}", options["timeout"]) as patience:
            found = lifecycle.wait_for(
                aws,
                deployment,
                {AVAILABLE, PAUSED, INCOMPLETE} | FAILED,
                patience,
                action=f"waiting for {deployment.identifier}",
                wrong=(),
            )
    _shout(session, found)
    if found is None:
        screen.say(f"There is no cluster {deployment.identifier} in {aws.region}.")
        screen.result({"identifier": deployment.identifier, "state": "absent", "region": aws.region})
        return ABSENT
    described = describe(session, found)
    show_status(screen, described)
    if found.state == INCOMPLETE:
        screen.say("It was left half made: run `sparkify cluster create` again, or `destroy`.")
    screen.result(described)
    if found.state in FAILED | {INCOMPLETE}:
        return 1
    return {AVAILABLE: OK, PAUSED: IS_PAUSED}.get(found.state, CHANGING)


@cluster.command("open-port")
@_common
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
    session = _session(options)
    screen, aws, deployment = session.screen, session.aws, session.deployment
    found = lifecycle.require(deployment.find(), deployment.identifier)
    _shout(session, found)
    lifecycle.require_ours(found)
    group = next((g for g in network.find_groups(aws, found.identifier) if g.id in found.groups), None)
    if group is None:
        raise ClusterError(
            f"the cluster {found.identifier} does not use a security group of ours.",
            "Attach the group that `sparkify cluster create` made, in the console.",
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


@cluster.command("close-port")
@_common
@click.option("--cidr", help="Close for this network only. [default: everything we opened]")
def close_port(**options: Any) -> int:
    """Take back what open-port let in; rules made by others stay.

    \b
    Example:
      sparkify cluster close-port
    """
    from sparkify.cluster import network

    only = str(network.network_from(options["cidr"], wide=True)) if options["cidr"] else None
    session = _session(options)
    screen, aws, identifier = session.screen, session.aws, session.deployment.identifier
    _shout(session, session.deployment.find())
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


@cluster.command()
@_common
@_timeout_option
def pause(**options: Any) -> int:
    """Stop the nodes: compute is no longer billed, storage is.

    \b
    Example:
      sparkify cluster pause
    """
    return _switch(options, "pause")


@cluster.command()
@_common
@_timeout_option
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

    session = _session(options)
    deployment = session.deployment
    found = lifecycle.require(deployment.find(), deployment.identifier)
    _shout(session, found)
    lifecycle.require_ours(found)
    wanted = PAUSED if verb == "pause" else AVAILABLE
    on_its_way = f"{verb.removesuffix('e')}ing"
    if found.state != wanted:
        if found.state != on_its_way:
            getattr(deployment, verb)()
        with _patience(session.screen, f"{on_its_way} {found.identifier}", options["timeout"]) as patience:
            found = lifecycle.require(
                lifecycle.wait_for(
                    session.aws, deployment, {wanted}, patience, action=f"{on_its_way} {found.identifier}"
                ),
                deployment.identifier,
            )
    session.screen.say(f"The cluster {found.identifier} is {found.state}.")
    session.screen.result({"identifier": found.identifier, "state": found.state})
    return OK


@cluster.command()
@_common
@click.option("--yes", is_flag=True, help="Do not ask for the cluster's name.")
@click.option("--skip-final-snapshot", is_flag=True, help="Keep no copy of the data.")
@_write_option
@_timeout_option
def destroy(**options: Any) -> int:
    """Delete the cluster and everything made for it, then verify that nothing billable is left.

    Takes a final snapshot unless told not to. Run again after a failure it continues; when all is gone
    it says so and exits 0.

    \b
    Example:
      sparkify cluster destroy
      sparkify cluster destroy --yes --skip-final-snapshot
    """
    from sparkify.cluster import lifecycle, removal

    session = _session(options)
    screen, aws, deployment = session.screen, session.aws, session.deployment
    identifier = deployment.identifier
    found = removal.remains(aws, deployment, session.settings)
    _shout(session, found.cluster)
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
        with _patience(screen, f"deleting {identifier}", options["timeout"]) as patience:
            kept = removal.destroy(aws, deployment, found, final_snapshot=snapshot, patience=patience)
    snapshots = removal.verify_gone(aws, deployment, session.settings, kept_role=bool(kept))
    _forget(session, write=not options["no_write"])
    screen.say(
        f"The cluster {identifier} is gone, and nothing made for it is left."
        if found
        else f"The cluster {identifier} is already gone, and nothing made for it is left."
    )
    for sentence in kept:
        screen.say(f"Kept: {sentence}.")
    for taken in snapshots:
        screen.say(f"Kept and billed as storage: snapshot {taken.name} ({taken.state}).")
    screen.result(
        {
            "identifier": identifier,
            "state": "absent",
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


@cluster.command()
@_common
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
    settings = _settings(options)
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


def _shout(session: Session, found: Any) -> None:
    from sparkify.cluster.lifecycle import overdue

    sentence = overdue(found, session.aws.clock())
    if sentence:
        session.screen.warn(sentence)


def _write(session: Session, values: dict[tuple[str, str], str], *, write: bool) -> None:
    from sparkify.cluster.config_file import write_values

    path = session.settings.path or Path(DEFAULT_PATH)
    if write:
        write_values(path, values)
    done = f"Written to {path}:" if write else f"For {path}:"
    for (section, key), value in values.items():
        session.screen.say(f"{done} [{section}] {key} = {value}")


def _forget(session: Session, *, write: bool) -> None:
    """Empty HOST, and ARN with it, when they are of the cluster that is gone."""
    settings, identifier = session.settings, session.deployment.identifier
    if settings.path and settings.cluster.host.startswith(f"{identifier}."):
        values = {("CLUSTER", "HOST"): ""}
        if settings.iam_role.arn.endswith(f"/{settings.dwh.dwh_iam_role_name}"):
            values[("IAM_ROLE", "ARN")] = ""
        try:
            _write(session, values, write=write)
        except SparkifyError as exc:
            session.screen.warn(f"{exc.message} {exc.hint}")
