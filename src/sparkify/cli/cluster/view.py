"""What `sparkify cluster` shows: the plan with its price, and the cluster as it is."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sparkify.cli.cluster.common import ClusterSession
from sparkify.cli.screen import Screen
from sparkify.errors import Command, Hint
from sparkify.text import counted

if TYPE_CHECKING:
    from sparkify.cluster.deployment import Cluster
    from sparkify.cluster.lifecycle import Creation
    from sparkify.cluster.spec import ClusterSpec


def show_plan(session: ClusterSession, spec: ClusterSpec, plan: Creation, expires: datetime | None) -> None:
    """Print what will be made and kept, and what it will cost."""
    from sparkify.cluster import network, prices

    screen, aws = session.screen, session.aws
    screen.say(f"In {aws.region}, account {aws.identity.account}, as {aws.identity.arn}:")
    kept = "keep" if plan.role and plan.role.made_for != spec.identifier else "keep (up to date)"
    shape = (
        f"Serverless, {spec.base_rpus} RPU, at most {counted(spec.limit_rpu_hours, 'RPU-hour')} a day"
        if spec.serverless
        else f"{spec.nodes} x {spec.node_type}"
    )
    reach = "public endpoint, closed until open-port" if spec.public else "no public endpoint"
    password = "password made and kept by Secrets Manager" if spec.managed_password else "password of dwh.cfg"
    screen.table(
        ["do", "what", "name", "how"],
        [
            [kept if plan.role else "make", "role", spec.role_name, "may read the locations below"],
            [
                "keep" if plan.group else "make",
                "security group",
                network.group_name(spec.identifier),
                f"in {plan.vpc}, lets nobody in",
            ],
            [
                f"keep ({plan.cluster.state})" if plan.cluster else "make",
                "cluster",
                spec.identifier,
                plan.cluster.shape if plan.cluster else f"{shape}, encrypted, {reach}, {password}",
            ],
        ],
    )
    if plan.cluster and not spec.serverless and plan.cluster.shape != shape:
        screen.warn(f"it has {plan.cluster.shape}, dwh.cfg says {shape}: create does not resize")
    for place in spec.sources.read:
        screen.say(f"      reads {place.uri}")
    if spec.serverless:
        hourly: float | None = prices.serverless_per_hour(spec.base_rpus)
        most = prices.RPU_HOUR * spec.limit_rpu_hours
        minutes = 60 * spec.limit_rpu_hours / spec.base_rpus
        lasts = f"{minutes:,.0f} minutes" if minutes < 100 else f"{minutes / 60:,.1f} hours"
        unit = (
            f"an hour of queries, at most ${most:,.2f} a day: {lasts} of queries, then none that day;"
            f" at most ${most * 365 / 12:,.0f} a month"
        )
    else:
        hourly = prices.per_hour(spec.node_type, spec.nodes)
        unit = f"an hour, ${(hourly or 0) * prices.HOURS_A_MONTH:,.0f} a month"
    if hourly is None:
        screen.say(f"Estimated cost: no list price here for {spec.node_type}, see {prices.PRICING_PAGE}")
    else:
        source = prices.source(aws.region, spec.node_type)
        screen.say(f"Estimated cost: ${hourly:,.2f} {unit} ({source}; storage comes on top)")
    when = f"{expires:%Y-%m-%d %H:%M} UTC (a tag, not a timer: you destroy it)" if expires else "never"
    screen.say(f"Expires: {when}")


def show_status(screen: Screen, described: dict[str, Any]) -> None:
    """Print a cluster as :func:`describe` gave it."""
    for name, value in described.items():
        if name != "connections" and value not in ("", None, []):
            screen.say(f"{name.replace('_', ' '):12}  {_shown(value)}", hang=14)
    if described["connections"]:
        screen.table(
            ["may connect", "to port", "opened by us", "description"],
            [
                [rule["source"], _ports(rule), rule["ours"], rule["description"]]
                for rule in described["connections"]
            ],
        )
    else:
        screen.advise(Hint("may connect   nobody: {} lets you in", Command("cluster", "open-port")))


def describe(session: ClusterSession, found: Cluster) -> dict[str, Any]:
    """Return all there is to say about a cluster; AWS is asked who may connect."""
    from sparkify.cluster import network, prices

    now = session.aws.clock()
    age = now - found.created if found.created else None
    # Serverless is billed by the second of its queries: the age says nothing about it.
    cost = prices.so_far(found.hourly, age) if age and not found.shape.startswith("Serverless") else None
    return {
        "identifier": found.identifier,
        "state": found.state,
        "region": session.aws.region,
        "shape": found.shape,
        "host": found.host,
        "port": found.port,
        "database": found.database,
        "user": found.user,
        "public": found.public,
        "encrypted": found.encrypted,
        "roles": list(found.roles),
        "secret": found.secret,
        "owner": found.tags.get("owner", ""),
        "created": found.created,
        "age_hours": round(age.total_seconds() / 3600, 2) if age else None,
        "hourly": found.hourly,
        "cost_at_most": round(cost, 2) if cost is not None else None,
        "prices_of": prices.REGION if found.hourly else "",
        "expires": found.expires,
        "connections": [asdict(rule) for rule in network.rules(session.aws, found.groups, found.identifier)],
    }


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(sep=" ", timespec="minutes")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _ports(rule: dict[str, Any]) -> str:
    first, last = rule["first_port"], rule["last_port"]
    return "all" if first == -1 else str(first) if first == last else f"{first}-{last}"
