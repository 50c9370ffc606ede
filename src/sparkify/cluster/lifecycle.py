"""From nothing to a cluster and back to nothing: what each step needs, in an order that can stop anywhere.

Every step looks before it acts and is known afterwards by its name or our tag, so that a command killed
after any call is continued by the same command, and nothing is left that nobody finds again.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sparkify.cluster import network
from sparkify.cluster.aws import Aws
from sparkify.cluster.deployment import (
    AVAILABLE,
    DELETING,
    EXPIRES_TAG,
    FAILED,
    PAUSED,
    Cluster,
    Deployment,
)
from sparkify.cluster.network import Group
from sparkify.cluster.policy import CLUSTER_TAG, PolicyScope
from sparkify.cluster.provisioned import Provisioned
from sparkify.cluster.role import Role, ensure_role, find_role
from sparkify.cluster.serverless import Serverless
from sparkify.cluster.spec import ClusterSpec, identifier_of, is_serverless, sources_from
from sparkify.cluster.waiting import PollSchedule, wait
from sparkify.errors import ClusterError, Command, Hint
from sparkify.settings import Settings

# AWS's answers lag: a cluster just made may not be found for some seconds.
MISSES = 3


def deployment_of(aws: Aws, settings: Settings) -> Deployment:
    """Return the configured warehouse, provisioned or Serverless."""
    return (Serverless if is_serverless(settings) else Provisioned)(aws, identifier_of(settings))


def scope_of(aws: Aws, settings: Settings, account: str = "") -> PolicyScope:
    """Return what policies are written for; asks AWS for the account unless it is given."""
    return PolicyScope(
        partition="aws" if account else aws.identity.partition,
        account=account or aws.identity.account,
        region=aws.region,
        identifier=identifier_of(settings),
        role_name=settings.dwh.dwh_iam_role_name,
        database=settings.cluster.db_name,
        user=settings.cluster.db_user,
        serverless=is_serverless(settings),
        managed_password=not settings.cluster.db_password,
        sources=sources_from(settings),
    )


def tags_for(identifier: str, owner: str) -> dict[str, str]:
    """Return the tags of everything we make."""
    return {
        "project": "sparkify",
        "owner": re.sub(r"[^\w .:/=+@-]", "-", owner)[:256],
        CLUSTER_TAG: identifier,
    }


@dataclass(frozen=True, slots=True)
class Creation:
    """What `create` found and where it will put what is missing."""

    cluster: Cluster | None
    role: Role | None
    group: Group | None
    vpc: str


def plan_creation(aws: Aws, deployment: Deployment, spec: ClusterSpec) -> Creation:
    """Look what is there; nothing is changed.

    Raises:
        ClusterError: There is something in the way: another's cluster, or one on its way out.
    """
    cluster = deployment.find()
    if cluster:
        require_ours(cluster)
        if cluster.state in FAILED | DELETING | {PAUSED}:
            raise _wrong_state(cluster, "create")
    # Where a cluster is, it stays, whatever --subnet-group says now.
    vpc = (cluster.vpc if cluster else "") or network.vpc_for(aws, spec.subnet_group)
    groups = network.find_groups(aws, spec.identifier)
    return Creation(
        cluster=cluster,
        role=find_role(aws, spec.role_name),
        group=next((group for group in groups if group.vpc == vpc), None),
        vpc=vpc,
    )


def create(
    aws: Aws,
    deployment: Deployment,
    spec: ClusterSpec,
    scope: PolicyScope,
    plan: Creation,
    *,
    tags: dict[str, str],
    expires: datetime | None,
    renew: bool,
    patience: PollSchedule,
) -> str:
    """Make the role, the group and the cluster where they are missing; return the role's ARN.

    Args:
        aws: The port.
        deployment: What to make.
        spec: How.
        scope: What its role may do.
        plan: What was there when it was looked at.
        tags: For everything made.
        expires: When the cluster is meant to be gone; None for never.
        renew: Whether a cluster that is there gets this expiry too.
        patience: For how long to wait between steps that need each other.

    Raises:
        ClusterError: AWS refused; the same call continues.
    """
    role = ensure_role(aws, scope, tags)
    group = network.ensure_group(aws, spec.identifier, plan.vpc, tags)
    all_tags = tags | {EXPIRES_TAG: expires.isoformat(timespec="seconds") if expires else "never"}
    deployment.create(spec, role, group, all_tags, patience)
    if plan.cluster and renew:
        deployment.tag(all_tags)
    return role


def wait_for(
    aws: Aws,
    deployment: Deployment,
    states: Collection[str] | None,
    patience: PollSchedule,
    *,
    action: str,
    wrong: Collection[str] = FAILED | DELETING,
) -> Cluster | None:
    """Wait for one of the states (None: any); return the cluster then, or None when it is gone.

    Raises:
        ClusterError: It got into a wrong state, or the deadline passed.
    """
    found: Cluster | None = None
    misses = 0

    def look() -> str:
        nonlocal found, misses
        found = deployment.find()
        if found is None:
            misses += 1
            return "" if misses >= MISSES else "not found yet"
        misses = 0
        if found.state in wrong:
            raise _wrong_state(found, action)
        arrived = states is None or (found.state in states and (found.state != AVAILABLE or found.host))
        return "" if arrived else found.state

    wait(aws, look, patience, action=action)
    return found


def wait_until_available(aws: Aws, deployment: Deployment, patience: PollSchedule, *, action: str) -> Cluster:
    """Wait until the cluster can be connected to.

    Raises:
        ClusterError: It got into a state it does not leave by itself, is gone, or the deadline passed.
    """
    cluster = wait_for(aws, deployment, {AVAILABLE}, patience, action=action)
    return require(cluster, deployment.identifier)


def require(cluster: Cluster | None, identifier: str) -> Cluster:
    """Return the cluster.

    Raises:
        ClusterError: There is none.
    """
    if cluster is None:
        raise ClusterError(
            f"there is no cluster {identifier}.",
            Hint(
                "Make one with {}, or check DWH_CLUSTER_IDENTIFIER and REGION.", Command("cluster", "create")
            ),
            state="absent",
        )
    return cluster


def require_ours(cluster: Cluster) -> None:
    """Refuse to touch what we did not make.

    Raises:
        ClusterError: The cluster does not carry our tag.
    """
    if not cluster.ours:
        raise ClusterError(
            f"the cluster {cluster.identifier} was not made by us (no tag {CLUSTER_TAG}): it is left alone.",
            "Set another DWH_CLUSTER_IDENTIFIER in dwh.cfg; what others made is for them to change.",
            state=cluster.state,
        )


def _wrong_state(cluster: Cluster, action: str) -> ClusterError:
    remedies = {
        PAUSED: Hint("Start it again with {}.", Command("cluster", "resume")),
        "incompatible-network": "Its VPC or subnets changed: put them back, or destroy and create it anew.",
        "storage-full": "Delete data, or resize it in the console.",
    }
    otherwise = (
        Hint(
            "Wait until it is gone, then run the same command again: {}.",
            Command("cluster", "status", "--wait"),
        )
        if cluster.state in DELETING
        else Hint(
            "AWS does not leave this state by itself: see the console, or {}.", Command("cluster", "destroy")
        )
    )
    return ClusterError(
        f"{action}: the cluster {cluster.identifier} is {cluster.state}.",
        remedies.get(cluster.state, otherwise),
        state=cluster.state,
        action=action,
    )


def overdue(cluster: Cluster | None, now: datetime) -> str:
    """Return what to shout about a cluster past its expiry; empty when it is not."""
    if cluster is None or cluster.expires is None or now < cluster.expires:
        return ""
    hours = (now - cluster.expires).total_seconds() / 3600
    cost = f", about ${cluster.hourly:,.2f} an hour" if cluster.hourly and cluster.state != PAUSED else ""
    return Hint(
        "{} Destroy it ({}) or keep it ({}).",
        f"THE CLUSTER {cluster.identifier} EXPIRED {hours:,.1f} HOURS AGO AND IS STILL BILLED{cost}.",
        Command("cluster", "destroy"),
        Command("cluster", "create", "--expires-in", "1d"),
    )
