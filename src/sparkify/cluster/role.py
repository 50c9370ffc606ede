"""Find, create and delete the role that COPY assumes (documents: :mod:`~sparkify.cluster.policy`).

A role without our tag belongs to somebody else: it is used as it is, and never changed or deleted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sparkify.cluster import policy
from sparkify.cluster.aws import DENIED, Aws
from sparkify.cluster.policy import CLUSTER_TAG, PolicyScope
from sparkify.errors import ClusterError

POLICY_NAME = "sparkify-copy"
ABSENT = ("NoSuchEntity", "NoSuchEntityException")
# IAM has no regions: the role says where the cluster is that it was made for.
REGION_TAG = "sparkify:region"
# Seconds between tries of a call whose role AWS does not know yet.
SETTLING = (2.0, 4.0, 8.0, 16.0, 16.0, 16.0)
_NOT_KNOWN_YET = re.compile(
    r"IAM role .* (is not valid|must delegate access|does not exist|cannot be assumed)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Role:
    """An existing role.

    ``made_for`` is the cluster it was created for, empty if it is not ours; ``region`` the cluster's.
    """

    name: str
    arn: str
    made_for: str
    region: str
    trust: dict[str, Any]


def find_role(aws: Aws, name: str, *, strict: bool = True) -> Role | None:
    """Return the role of that name, or None; without ``strict`` also where we may not look at roles."""
    unseen = ABSENT if strict else (*ABSENT, *DENIED)
    answer = aws.call("iam", "get_role", tolerate=unseen, RoleName=name)
    if not answer:
        return None
    role = answer["Role"]
    tags = {tag["Key"]: tag["Value"] for tag in role.get("Tags", [])}
    trust = role["AssumeRolePolicyDocument"]
    region = tags.get(REGION_TAG) or _trusted_region(trust)
    return Role(name, role["Arn"], tags.get(CLUSTER_TAG, ""), region, trust)


def _trusted_region(trust: dict[str, Any]) -> str:
    """Return the region of the clusters that may assume a role; older versions set no tag."""
    found = re.search(r"arn:[a-z-]+:redshift(?:-serverless)?:([a-z0-9-]+):", json.dumps(trust))
    return found[1] if found else ""


def ensure_role(aws: Aws, scope: PolicyScope, tags: dict[str, str]) -> str:
    """Create the role, or update ours; return its ARN. It can be repeated after any failure.

    Raises:
        ClusterError: A role of that name was created for another cluster.
    """
    trust = policy.trust(scope)
    role = find_role(aws, scope.role_name)
    if role is None:
        aws.call(
            "iam",
            "create_role",
            RoleName=scope.role_name,
            AssumeRolePolicyDocument=json.dumps(trust),
            Description=f"Lets the Redshift cluster {scope.identifier} read Sparkify's files.",
            Tags=[{"Key": key, "Value": value} for key, value in {**tags, REGION_TAG: scope.region}.items()],
        )
        arn = scope.role_arn
    elif role.made_for == scope.identifier:
        arn = role.arn
        if role.trust != trust:
            aws.call(
                "iam",
                "update_assume_role_policy",
                RoleName=role.name,
                PolicyDocument=json.dumps(trust),
            )
    elif role.made_for:
        raise ClusterError(
            f"the role {role.name} was made for the cluster {role.made_for}, not for {scope.identifier}.",
            "Give this one its own: set DWH_IAM_ROLE_NAME in dwh.cfg.",
        )
    else:
        return role.arn
    aws.call(
        "iam",
        "put_role_policy",
        RoleName=scope.role_name,
        PolicyName=POLICY_NAME,
        PolicyDocument=json.dumps(policy.copy(scope)),
    )
    return arn


def call_with_role(
    aws: Aws, service: str, operation: str, *, tolerate: Collection[str] = (), **parameters: Any
) -> dict[str, Any]:
    """Make a call that names a role; wait up to a minute for a new one to be known everywhere.

    Raises:
        ClusterError: As for :meth:`~sparkify.cluster.aws.Aws.call`.
    """
    for pause in SETTLING:
        try:
            return aws.call(service, operation, tolerate=tolerate, **parameters)
        except ClusterError as exc:
            if not _NOT_KNOWN_YET.search(exc.message):
                raise
        aws.sleep(pause)
    return aws.call(service, operation, tolerate=tolerate, **parameters)


def delete_role(aws: Aws, name: str) -> None:
    """Delete our role with its policy; a missing role is no error."""
    aws.call("iam", "delete_role_policy", tolerate=ABSENT, RoleName=name, PolicyName=POLICY_NAME)
    aws.call("iam", "delete_role", tolerate=ABSENT, RoleName=name)
