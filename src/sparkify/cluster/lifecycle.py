"""Create a cluster and wait for its states, in steps that can be interrupted anywhere.

Every step first reads the present state, and marks what it creates with a name or our tag. So a command that
was killed at any call can be repeated and continues, and every created resource can be found again.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sparkify.cluster import network, prices
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
from sparkify.cluster.region import verify_role
from sparkify.cluster.role import Role, ensure_role, find_role
from sparkify.cluster.serverless import Serverless
from sparkify.cluster.spec import ClusterSpec, identifier_of, is_serverless, sources_from
from sparkify.cluster.waiting import PollSchedule, wait
from sparkify.errors import ClusterError, Command, Hint
from sparkify.settings import Settings

# AWS is eventually consistent: a new cluster may not be found for some seconds.
MISSES = 3


def deployment_of(aws: Aws, settings: Settings) -> Deployment:
    """Return the configured warehouse, provisioned or Serverless."""
    return (Serverless if is_serverless(settings) else Provisioned)(aws, identifier_of(settings))


def find_here(aws: Aws, deployment: Deployment, settings: Settings) -> Cluster | None:
    """Return the cluster's present state, or None if it does not exist.

    Raises:
        ConfigError: It is not in this region, and its role says that it is in another.
    """
    found = deployment.find()
    if found is None:
        role = find_role(aws, settings.dwh.dwh_iam_role_name, strict=False)
        verify_role(role, deployment.identifier, aws.region)
    return found


def scope_of(aws: Aws, settings: Settings, account: str = "") -> PolicyScope:
    """Return the scope of the policies; AWS is asked for the account unless it is given."""
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
        data_api=settings.cluster.transport == "data-api",
    )


def tags_for(identifier: str, owner: str) -> dict[str, str]:
    """Return the tags of every resource we create."""
    return {
        "project": "sparkify",
        "owner": re.sub(r"[^\w .:/=+@-]", "-", owner)[:256],
        CLUSTER_TAG: identifier,
    }


@dataclass(frozen=True, slots=True)
class Creation:
    """The existing resources that `create` found, and the VPC for the missing ones."""

    cluster: Cluster | None
    role: Role | None
    group: Group | None
    vpc: str


def plan_creation(aws: Aws, deployment: Deployment, spec: ClusterSpec) -> Creation:
    """Find the existing resources, without changing anything.

    Raises:
        ClusterError: A cluster of that name belongs to somebody else, or is being deleted.
        ConfigError: The role was made for a cluster of that name in another region.
    """
    cluster = deployment.find()
    if cluster:
        require_ours(cluster)
        if cluster.state in FAILED | DELETING | {PAUSED}:
            raise _wrong_state(cluster, "create")
    role = find_role(aws, spec.role_name)
    verify_role(role, spec.identifier, aws.region)
    # An existing cluster stays in its VPC, whatever --subnet-group says now.
    vpc = (cluster.vpc if cluster else "") or network.vpc_for(aws, spec.subnet_group)
    groups = network.find_groups(aws, spec.identifier)
    return Creation(
        cluster=cluster,
        role=role,
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
    """Create the role, the group and the cluster, each if it is missing; return the role's ARN.

    Args:
        aws: The port to AWS.
        deployment: The warehouse to create.
        spec: Its properties.
        scope: The scope of its role's policy.
        plan: The result of :func:`plan_creation`.
        tags: Tags of every created resource.
        expires: Expiry of the cluster; None for never.
        renew: Whether an existing cluster gets this expiry too.
        patience: How long to wait between steps that depend on each other.

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
    """Wait for one of the states (None: any); return the cluster, or None if it no longer exists.

    Raises:
        ClusterError: The cluster reached another final state, or the deadline passed.
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
    """Wait until the cluster accepts connections.

    Raises:
        ClusterError: The cluster reached another final state, no longer exists, or the deadline passed.
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
    """Raise if we did not create the cluster.

    Raises:
        ClusterError: The cluster does not have our tag.
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
    """Return a warning about a cluster past its expiry; empty otherwise."""
    if cluster is None or cluster.expires is None or now < cluster.expires:
        return ""
    hours = (now - cluster.expires).total_seconds() / 3600
    cost = ""
    if cluster.hourly and cluster.state != PAUSED:
        cost = f", about ${cluster.hourly:,.2f} an hour at the list price of {prices.REGION}"
    return Hint(
        "{} Destroy it ({}) or keep it ({}).",
        f"THE CLUSTER {cluster.identifier} EXPIRED {hours:,.1f} HOURS AGO AND IS STILL BILLED{cost}.",
        Command("cluster", "destroy"),
        Command("cluster", "create", "--expires-in", "1d"),
    )
