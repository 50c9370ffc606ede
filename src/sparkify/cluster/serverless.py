"""Redshift Serverless: a namespace (data, users) and a workgroup (compute), billed while queries run.

We always set a usage limit: without one a forgotten dashboard is billed without end.
"""

from __future__ import annotations

from typing import Any

from sparkify.cluster import prices
from sparkify.cluster.aws import Aws
from sparkify.cluster.deployment import INCOMPLETE, Cluster, Snapshot
from sparkify.cluster.role import call_with_role
from sparkify.cluster.spec import ClusterSpec
from sparkify.cluster.waiting import PollSchedule, wait
from sparkify.errors import ClusterError, Command, Hint

SERVICE = "redshift-serverless"
ABSENT = ("ResourceNotFoundException",)
EXISTS = ("ConflictException",)
# "There is an operation running on the namespace. Try deleting the namespace again later.": for minutes after
# `create`, and after the workgroup is gone.
BUSY = ("ConflictException",)
USAGE = "serverless-compute"


class Serverless:
    """A Serverless namespace and workgroup, by their name."""

    def __init__(self, aws: Aws, identifier: str) -> None:
        self.aws = aws
        self.identifier = identifier

    def find(self) -> Cluster | None:
        """Return both as one; ``incomplete`` while there is a namespace without a workgroup."""
        namespace = self._namespace()
        if not namespace:
            return None
        workgroup = self._workgroup()
        answer = self.aws.call(
            SERVICE, "list_tags_for_resource", tolerate=ABSENT, resourceArn=namespace["namespaceArn"]
        )
        endpoint = workgroup.get("endpoint") or {}
        rpus = workgroup.get("baseCapacity", 0)
        return Cluster(
            identifier=self.identifier,
            state=_state(namespace, workgroup),
            shape=f"Serverless, {rpus} RPU" if rpus else "Serverless",
            host=endpoint.get("address", ""),
            port=endpoint.get("port", 0),
            database=namespace.get("dbName", ""),
            user=namespace.get("adminUsername", ""),
            created=namespace.get("creationDate"),
            public=workgroup.get("publiclyAccessible", False),
            encrypted=True,
            hourly=prices.serverless_per_hour(rpus) if rpus else None,
            vpc="",
            roles=tuple(_role_arn(role) for role in namespace.get("iamRoles", [])),
            groups=tuple(workgroup.get("securityGroupIds", [])),
            secret=namespace.get("adminPasswordSecretArn", ""),
            tags={tag["key"]: tag["value"] for tag in answer.get("tags", [])},
        )

    def create(
        self, spec: ClusterSpec, role: str, group: str, tags: dict[str, str], patience: PollSchedule
    ) -> None:
        """Create the missing ones of namespace, workgroup and usage limit, each after the previous one."""
        if not self._namespace():
            call_with_role(
                self.aws, SERVICE, "create_namespace", tolerate=EXISTS, **namespace_creation(spec, role, tags)
            )
        wait(self.aws, self._namespace_pending, patience, action=f"creating the namespace {spec.identifier}")
        if not self._workgroup():
            self.aws.call(
                SERVICE, "create_workgroup", tolerate=EXISTS, **workgroup_creation(spec, group, tags)
            )
        wait(self.aws, self._workgroup_pending, patience, action=f"creating the workgroup {spec.identifier}")
        workgroup = self._workgroup()["workgroupArn"]
        limits = self.aws.call(SERVICE, "list_usage_limits", resourceArn=workgroup, usageType=USAGE)
        if not limits["usageLimits"]:
            self.aws.call(SERVICE, "create_usage_limit", tolerate=EXISTS, **limit_creation(spec, workgroup))

    def tag(self, tags: dict[str, str]) -> None:
        """Set tags on the namespace."""
        arn = self._namespace()["namespaceArn"]
        self.aws.call(SERVICE, "tag_resource", resourceArn=arn, tags=_tags(tags))

    def pause(self) -> None:
        """Raise: Serverless cannot be paused.

        Raises:
            ClusterError: Always.
        """
        raise ClusterError(
            "Redshift Serverless pauses by itself: compute is billed only while queries run.",
            Hint("To stop storage being billed as well: {}.", Command("cluster", "destroy")),
        )

    def resume(self) -> None:
        """Raise: Serverless resumes with the next query.

        Raises:
            ClusterError: Always.
        """
        raise ClusterError("Redshift Serverless resumes by itself.", "Send it a query.")

    def delete(self, final_snapshot: str) -> str:
        """Request the next deletion, first workgroup, then namespace; empty when both are deleted."""
        workgroup = self._workgroup()
        if workgroup:
            going = workgroup["status"] == "DELETING"
            if not (going or self._delete("workgroup", workgroupName=self.identifier)):
                return "an operation is running on the workgroup"
            return "the workgroup is being deleted"
        namespace = self._namespace()
        if not namespace:
            return ""
        if namespace["status"] != "DELETING":
            snapshot = {"finalSnapshotName": final_snapshot} if final_snapshot else {}
            if not self._delete("namespace", namespaceName=self.identifier, **snapshot):
                return "an operation is running on the namespace"
        return "the namespace is being deleted"

    def _delete(self, what: str, **parameters: str) -> bool:
        """Request a deletion; return False where AWS is busy with it, or there is nothing to delete."""
        return bool(self.aws.call(SERVICE, f"delete_{what}", tolerate=(*ABSENT, *BUSY), **parameters))

    def snapshots(self) -> list[Snapshot]:
        """Return the snapshots of a namespace of this name."""
        answer = self.aws.call(SERVICE, "list_snapshots", tolerate=ABSENT, namespaceName=self.identifier)
        return [
            Snapshot(found["snapshotName"], found["status"].lower(), found.get("snapshotCreateTime"))
            for found in answer.get("snapshots", [])
        ]

    def users_of(self, role: str) -> list[str]:
        """Return the other namespaces of the account and region that have this role."""
        answer = self.aws.call(SERVICE, "list_namespaces")
        return [
            found["namespaceName"]
            for found in answer["namespaces"]
            if found["namespaceName"] != self.identifier
            and role in [_role_arn(attached) for attached in found.get("iamRoles", [])]
        ]

    def _namespace(self) -> dict[str, Any]:
        answer = self.aws.call(SERVICE, "get_namespace", tolerate=ABSENT, namespaceName=self.identifier)
        namespace: dict[str, Any] = answer.get("namespace", {})
        return namespace

    def _workgroup(self) -> dict[str, Any]:
        answer = self.aws.call(SERVICE, "get_workgroup", tolerate=ABSENT, workgroupName=self.identifier)
        workgroup: dict[str, Any] = answer.get("workgroup", {})
        return workgroup

    def _namespace_pending(self) -> str:
        status = str(self._namespace().get("status", "NOT FOUND"))
        return "" if status == "AVAILABLE" else status.lower()

    def _workgroup_pending(self) -> str:
        status = str(self._workgroup().get("status", "NOT FOUND"))
        return "" if status == "AVAILABLE" else status.lower()


def admin_of(aws: Aws, workgroup: str) -> tuple[str, str]:
    """Return a workgroup's administrator, and the ARN of the secret with the password, empty without one.

    Raises:
        ClusterError: There is no such workgroup, or we may not look.
    """
    found = aws.call(SERVICE, "get_workgroup", workgroupName=workgroup)["workgroup"]
    answer = aws.call(SERVICE, "get_namespace", namespaceName=found["namespaceName"])
    namespace = answer["namespace"]
    return namespace.get("adminUsername", ""), namespace.get("adminPasswordSecretArn", "")


def namespace_creation(spec: ClusterSpec, role: str, tags: dict[str, str]) -> dict[str, Any]:
    """Return the parameters of CreateNamespace."""
    password: dict[str, Any] = (
        {"manageAdminPassword": True} if spec.managed_password else {"adminUserPassword": str(spec.password)}
    )
    return {
        "namespaceName": spec.identifier,
        "dbName": spec.database,
        "adminUsername": spec.user,
        "iamRoles": [role],
        "tags": _tags(tags),
        **password,
    }


def workgroup_creation(spec: ClusterSpec, group: str, tags: dict[str, str]) -> dict[str, Any]:
    """Return the parameters of CreateWorkgroup.

    Without them AWS scales a new workgroup by a price-performance target of its own, beyond the base capacity
    that the plan has the price of.
    """
    return {
        "workgroupName": spec.identifier,
        "namespaceName": spec.identifier,
        "baseCapacity": spec.base_rpus,
        "maxCapacity": spec.base_rpus,
        "pricePerformanceTarget": {"status": "DISABLED"},
        "port": spec.port,
        "publiclyAccessible": spec.public,
        "securityGroupIds": [group],
        "tags": _tags(tags),
    }


def limit_creation(spec: ClusterSpec, workgroup: str) -> dict[str, Any]:
    """Return the parameters of CreateUsageLimit: so many RPU-hours a day, then no more queries that day."""
    return {
        "resourceArn": workgroup,
        "usageType": USAGE,
        "amount": spec.limit_rpu_hours,
        "period": "daily",
        "breachAction": "deactivate",
    }


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _state(namespace: dict[str, Any], workgroup: dict[str, Any]) -> str:
    if namespace["status"] != "AVAILABLE":
        return str(namespace["status"]).lower()
    return str(workgroup["status"]).lower() if workgroup else INCOMPLETE


def _role_arn(role: str) -> str:
    # A namespace lists its roles as "IamRole(applyStatus=in-sync, iamRoleArn=arn:aws:iam::…:role/name)".
    return role.partition("iamRoleArn=")[2].rstrip(")") or role
