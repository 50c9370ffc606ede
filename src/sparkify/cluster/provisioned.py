"""A provisioned Redshift cluster: nodes billed by the hour, paused and resumed by hand."""

from __future__ import annotations

from typing import Any

from sparkify.cluster import prices
from sparkify.cluster.aws import STATE, Aws
from sparkify.cluster.deployment import DELETING, Cluster, Snapshot
from sparkify.cluster.role import call_with_role
from sparkify.cluster.spec import ClusterSpec
from sparkify.cluster.waiting import PollSchedule

ABSENT = ("ClusterNotFound", "ClusterNotFoundFault")


class Provisioned:
    """A provisioned cluster, by its name."""

    def __init__(self, aws: Aws, identifier: str) -> None:
        self.aws = aws
        self.identifier = identifier
        self._asked = False

    def find(self) -> Cluster | None:
        """Return the cluster's present state, or None if it does not exist."""
        answer = self.aws.call(
            "redshift", "describe_clusters", tolerate=ABSENT, ClusterIdentifier=self.identifier
        )
        return _cluster(answer["Clusters"][0]) if answer.get("Clusters") else None

    def create(
        self, spec: ClusterSpec, role: str, group: str, tags: dict[str, str], patience: PollSchedule
    ) -> None:
        """Request the cluster, unless it exists."""
        if not self.find():
            # A request repeated after a lost response finds the cluster that the first one created.
            call_with_role(
                self.aws,
                "redshift",
                "create_cluster",
                tolerate=("ClusterAlreadyExists", "ClusterAlreadyExistsFault"),
                **creation(spec, role, group, tags),
            )

    def tag(self, tags: dict[str, str]) -> None:
        """Set tags on the cluster."""
        who = self.aws.identity
        arn = f"arn:{who.partition}:redshift:{self.aws.region}:{who.account}:cluster:{self.identifier}"
        self.aws.call("redshift", "create_tags", ResourceName=arn, Tags=_tags(tags))

    def pause(self) -> None:
        """Stop the nodes; storage is still billed."""
        self.aws.call("redshift", "pause_cluster", ClusterIdentifier=self.identifier)

    def resume(self) -> None:
        """Start the nodes again."""
        self.aws.call("redshift", "resume_cluster", ClusterIdentifier=self.identifier)

    def delete(self, final_snapshot: str) -> str:
        """Request the deletion unless it is in progress; return the state, empty when it is deleted."""
        cluster = self.find()
        if cluster is None:
            return ""
        if cluster.state not in DELETING:
            snapshot: dict[str, Any] = {"SkipFinalClusterSnapshot": not final_snapshot}
            if final_snapshot:
                snapshot["FinalClusterSnapshotIdentifier"] = final_snapshot
            # After the request, a response that still says "available" is outdated.
            busy = STATE if self._asked else ()
            self.aws.call(
                "redshift",
                "delete_cluster",
                tolerate=(*ABSENT, *busy),
                ClusterIdentifier=self.identifier,
                **snapshot,
            )
            self._asked = True
        return cluster.state

    def snapshots(self) -> list[Snapshot]:
        """Return the manual snapshots of a cluster of this name, including final snapshots."""
        answer = self.aws.call(
            "redshift",
            "describe_cluster_snapshots",
            tolerate=ABSENT,
            ClusterIdentifier=self.identifier,
            SnapshotType="manual",
        )
        return [
            Snapshot(found["SnapshotIdentifier"], found["Status"], found.get("SnapshotCreateTime"))
            for found in answer.get("Snapshots", [])
            if found["ClusterIdentifier"] == self.identifier
        ]

    def users_of(self, role: str) -> list[str]:
        """Return the other clusters of the account and region that have this role."""
        answer = self.aws.call("redshift", "describe_clusters")
        return [
            found["ClusterIdentifier"]
            for found in answer["Clusters"]
            if found["ClusterIdentifier"] != self.identifier
            and role in [attached["IamRoleArn"] for attached in found.get("IamRoles", [])]
        ]


def creation(spec: ClusterSpec, role: str, group: str, tags: dict[str, str]) -> dict[str, Any]:
    """Return the parameters of CreateCluster."""
    request: dict[str, Any] = {
        "ClusterIdentifier": spec.identifier,
        "ClusterType": "single-node" if spec.nodes == 1 else "multi-node",
        "NodeType": spec.node_type,
        "DBName": spec.database,
        "MasterUsername": spec.user,
        "Port": spec.port,
        "Encrypted": True,
        "PubliclyAccessible": spec.public,
        "VpcSecurityGroupIds": [group],
        "IamRoles": [role],
        "Tags": _tags(tags),
    }
    if spec.nodes > 1:
        request["NumberOfNodes"] = spec.nodes
    if spec.managed_password:
        request["ManageMasterPassword"] = True
    else:
        request["MasterUserPassword"] = str(spec.password)
    if spec.subnet_group:
        request["ClusterSubnetGroupName"] = spec.subnet_group
    return request


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _cluster(found: dict[str, Any]) -> Cluster:
    endpoint = found.get("Endpoint") or {}
    nodes = found.get("NumberOfNodes", 1)
    return Cluster(
        identifier=found["ClusterIdentifier"],
        state=found["ClusterStatus"].lower(),
        shape=f"{nodes} x {found['NodeType']}",
        host=endpoint.get("Address", ""),
        port=endpoint.get("Port", 0),
        database=found.get("DBName", ""),
        user=found.get("MasterUsername", ""),
        created=found.get("ClusterCreateTime"),
        public=found.get("PubliclyAccessible", False),
        encrypted=found.get("Encrypted", False),
        hourly=prices.per_hour(found["NodeType"], nodes),
        vpc=found.get("VpcId", ""),
        roles=tuple(role["IamRoleArn"] for role in found.get("IamRoles", [])),
        groups=tuple(group["VpcSecurityGroupId"] for group in found.get("VpcSecurityGroups", [])),
        secret=found.get("MasterPasswordSecretArn", ""),
        tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
    )
