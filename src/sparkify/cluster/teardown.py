"""Delete a cluster with everything created for it, and verify that nothing billable is left."""

from __future__ import annotations

from dataclasses import dataclass

from sparkify.cluster import network
from sparkify.cluster.aws import Aws
from sparkify.cluster.deployment import Cluster, Deployment, Snapshot
from sparkify.cluster.network import Group, IngressRule
from sparkify.cluster.region import verify_role
from sparkify.cluster.role import Role, delete_role, find_role
from sparkify.cluster.waiting import PollSchedule, wait
from sparkify.errors import ClusterError
from sparkify.settings import Settings


@dataclass(frozen=True, slots=True)
class Remains:
    """The existing resources that we created for one cluster."""

    cluster: Cluster | None
    role: Role | None
    groups: tuple[Group, ...]
    rules: tuple[IngressRule, ...]
    secrets: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.cluster or self.role or self.groups or self.secrets)

    def listed(self) -> list[tuple[str, str]]:
        """Return (kind, name) of each."""
        found = [("cluster", f"{self.cluster.identifier} ({self.cluster.state})")] if self.cluster else []
        found += [("ingress", f"{rule.source} to port {rule.first_port}") for rule in self.rules]
        found += [("security group", f"{group.name} ({group.id})") for group in self.groups]
        found += [("role", self.role.name)] if self.role else []
        return found + [("secret", name) for name in self.secrets]


def remains(aws: Aws, deployment: Deployment, settings: Settings) -> Remains:
    """Find the resources created by `create` and `open-port`.

    Raises:
        ConfigError: They are in another region, by what the role says.
    """
    identifier = deployment.identifier
    role = find_role(aws, settings.dwh.dwh_iam_role_name)
    verify_role(role, identifier, aws.region)
    groups = network.find_groups(aws, identifier)
    return Remains(
        cluster=deployment.find(),
        role=role if role and role.made_for == identifier else None,
        groups=tuple(groups),
        rules=tuple(network.rules(aws, [group.id for group in groups], identifier)),
        secrets=tuple(_secrets(aws, identifier, settings.cluster.db_user)),
    )


def _secrets(aws: Aws, identifier: str, user: str) -> list[str]:
    """Return the names of the cluster's secrets in AWS, which AWS deletes with the cluster."""
    name = f"redshift!{identifier}-{user}"
    answer = aws.call("secretsmanager", "list_secrets", Filters=[{"Key": "name", "Values": [name]}])
    return [found["Name"] for found in answer["SecretList"] if found["Name"] == name]


def destroy(
    aws: Aws, deployment: Deployment, found: Remains, *, final_snapshot: str, patience: PollSchedule
) -> list[str]:
    """Delete everything found, network access first; return a sentence for each resource kept on purpose.

    Raises:
        ClusterError: AWS refused, or a deadline passed; the same command continues.
    """
    kept = []
    network.close_ports(aws, found.rules)
    wait(
        aws,
        lambda: deployment.delete(final_snapshot),
        patience,
        action=f"deleting {deployment.identifier}",
    )
    for group in found.groups:

        def detached(group: Group = group) -> str:
            if group not in network.find_groups(aws, deployment.identifier):
                return ""
            network.delete_group(aws, group.id)
            return "AWS is still taking its network interfaces out"

        # The first call deletes, the second confirms it; without attachments this needs no pause.
        if detached() and detached():
            wait(aws, detached, patience, action=f"deleting the security group {group.name}")
    if found.role:
        others = deployment.users_of(found.role.arn)
        if others:
            kept.append(f"the role {found.role.name}: {', '.join(others)} uses it too")
        else:
            delete_role(aws, found.role.name)
    return kept


def verify_gone(aws: Aws, deployment: Deployment, settings: Settings, *, kept_role: bool) -> list[Snapshot]:
    """Verify that nothing billable is left; return the snapshots that were kept on request.

    Raises:
        ClusterError: A resource is left; the message lists them.
    """
    left = [
        (kind, name)
        for kind, name in remains(aws, deployment, settings).listed()
        if not (kept_role and kind == "role")
    ]
    if left:
        raise ClusterError(
            "still there: " + "; ".join(f"{kind} {name}" for kind, name in left) + ".",
            "Run the same command again in a few minutes; it takes away what is left.",
            action="destroy",
        )
    return deployment.snapshots()
