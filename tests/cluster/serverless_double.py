"""Redshift Serverless as far as we use it: moto has none. Every request is validated by botocore's own model.

It stands behind real boto3 clients (their ``before-call`` event), so names, types and required parameters of
requests are checked against AWS's service model, and answers have the shapes that AWS documents.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from sparkify.cluster.aws import Aws
from sparkify.settings import Settings
from tests.cluster.conftest import REGION, Clock, raw_client

SERVICE = "redshift-serverless"
ARN = f"arn:aws:{SERVICE}:{REGION}:123456789012"


class ServerlessDouble:
    """Namespaces and workgroups that take ``slow`` looks to be made and to go; the rest is moto's.

    ``busy`` says how many requests to delete each of them are refused first, as AWS does for minutes.

    ``watch`` is shown every client that is used.
    """

    def __init__(self, endpoint: str, watch: Callable[[Any], Any] = lambda client: client) -> None:
        self.endpoint = endpoint
        self.watch = watch
        self.slow = 2
        self.busy = {"workgroup": 1, "namespace": 1}
        self.namespaces: dict[str, dict[str, Any]] = {}
        self.workgroups: dict[str, dict[str, Any]] = {}
        self.limits: list[dict[str, Any]] = []
        self.snapshots: list[dict[str, Any]] = []
        self.tags: dict[str, dict[str, str]] = {}
        self.identities: dict[str, str] = {}  # of GetCredentials: user and temporary password
        self.password = "Managed-by-AWS1"
        self.clock = Clock(datetime.now(UTC))
        self.calls = 0
        # AWS's own way to them, which nobody watches.
        self._secrets = raw_client.__wrapped__(endpoint, "secretsmanager")
        self._own = boto3.client(
            "redshift-serverless", region_name=REGION, aws_access_key_id="key", aws_secret_access_key="secret"
        )
        self._own.meta.events.register("before-parameter-build", self._keep)
        # The stubs do not know that an event may answer.
        self._own.meta.events.register("before-call", self._answer)  # type: ignore[arg-type]

    def connect(self, settings: Settings) -> Aws:
        """Return a port to it, in place of `credentials.connect`."""
        return Aws(self.client, region=REGION, clock=self.clock, sleep=self.clock.sleep)

    def client(self, service: str) -> Any:
        return self.watch(self._own if service == SERVICE else raw_client(self.endpoint, service))

    def _keep(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        # What was asked, before botocore has checked it and turned it into a request.
        context["sparkify"] = params

    def _answer(self, model: Any, context: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        name = "".join("_" + letter.lower() if letter.isupper() else letter for letter in model.name)
        code, answer = getattr(self, name)(**context["sparkify"])
        self.calls += 1
        return AWSResponse("https://double", code, HTTPHeaders(), None), answer

    @staticmethod
    def _absent(what: str) -> tuple[int, dict[str, Any]]:
        return 404, {"Error": {"Code": "ResourceNotFoundException", "Message": f"{what} not found."}}

    @staticmethod
    def _conflict(what: str) -> tuple[int, dict[str, Any]]:
        return 409, {"Error": {"Code": "ConflictException", "Message": f"{what} is in the way."}}

    def _age(self, kept: dict[str, dict[str, Any]], name: str) -> dict[str, Any] | None:
        """One more look at it: what is being made gets made, what is going goes."""
        if name not in kept:
            return None
        kept[name]["looks"] = kept[name].get("looks", 0) + 1
        if kept[name]["looks"] > self.slow:
            if kept[name]["status"] == "DELETING":
                del kept[name]
                return None
            kept[name]["status"] = "AVAILABLE"
        return {key: value for key, value in kept[name].items() if key != "looks"}

    def _get_namespace(self, namespaceName: str) -> tuple[int, dict[str, Any]]:  # noqa: N803
        found = self._age(self.namespaces, namespaceName)
        return (200, {"namespace": found}) if found else self._absent(namespaceName)

    def _get_workgroup(self, workgroupName: str) -> tuple[int, dict[str, Any]]:  # noqa: N803
        found = self._age(self.workgroups, workgroupName)
        return (200, {"workgroup": found}) if found else self._absent(workgroupName)

    def _create_namespace(self, **asked: Any) -> tuple[int, dict[str, Any]]:
        name = asked["namespaceName"]
        if name in self.namespaces:
            return self._conflict(name)
        arn = f"{ARN}:namespace/{name}-id"
        self.tags[arn] = {tag["key"]: tag["value"] for tag in asked["tags"]}
        self.namespaces[name] = {
            "namespaceName": name,
            "namespaceArn": arn,
            "status": "MODIFYING",
            "dbName": asked["dbName"],
            "adminUsername": asked["adminUsername"],
            "creationDate": self.clock(),
            "iamRoles": [f"IamRole(applyStatus=in-sync, iamRoleArn={role})" for role in asked["iamRoles"]],
        }
        if asked.get("manageAdminPassword"):
            secret = {"username": asked["adminUsername"], "password": self.password}
            made = self._secrets.create_secret(
                Name=f"redshift!{name}-{asked['adminUsername']}", SecretString=json.dumps(secret)
            )
            self.namespaces[name]["adminPasswordSecretArn"] = made["ARN"]
        return 200, {"namespace": self.namespaces[name]}

    def _create_workgroup(self, **asked: Any) -> tuple[int, dict[str, Any]]:
        name = asked["workgroupName"]
        namespace = self.namespaces.get(asked["namespaceName"])
        if name in self.workgroups or not namespace or namespace["status"] != "AVAILABLE":
            return self._conflict(name)
        host = f"{name}.123456789012.{REGION}.redshift-serverless.amazonaws.com"
        self.workgroups[name] = {
            "workgroupName": name,
            "namespaceName": asked["namespaceName"],
            "workgroupArn": f"{ARN}:workgroup/{name}-id",
            "status": "CREATING",
            "baseCapacity": asked["baseCapacity"],
            "maxCapacity": asked["maxCapacity"],
            "pricePerformanceTarget": asked["pricePerformanceTarget"],
            "publiclyAccessible": asked["publiclyAccessible"],
            "securityGroupIds": asked["securityGroupIds"],
            "endpoint": {"address": host, "port": asked["port"]},
        }
        return 200, {"workgroup": self.workgroups[name]}

    def _get_credentials(self, workgroupName: str, dbName: str) -> tuple[int, dict[str, Any]]:  # noqa: N803
        """The user is whoever asks: AWS takes no name."""
        if workgroupName not in self.workgroups:
            return self._absent(workgroupName)
        self.identities["IAM:moto"] = "temporary"
        return 200, {"dbUser": "IAM:moto", "dbPassword": "temporary"}

    def _list_usage_limits(self, resourceArn: str, usageType: str) -> tuple[int, dict[str, Any]]:  # noqa: N803
        found = [x for x in self.limits if (x["resourceArn"], x["usageType"]) == (resourceArn, usageType)]
        return 200, {"usageLimits": found}

    def _create_usage_limit(self, **asked: Any) -> tuple[int, dict[str, Any]]:
        self.limits.append(asked)
        return 200, {"usageLimit": asked}

    def _list_tags_for_resource(self, resourceArn: str) -> tuple[int, dict[str, Any]]:  # noqa: N803
        tags = self.tags.get(resourceArn, {})
        return 200, {"tags": [{"key": key, "value": value} for key, value in tags.items()]}

    def _tag_resource(self, resourceArn: str, tags: list[dict[str, str]]) -> tuple[int, dict[str, Any]]:  # noqa: N803
        self.tags[resourceArn] |= {tag["key"]: tag["value"] for tag in tags}
        return 200, {}

    def _list_namespaces(self) -> tuple[int, dict[str, Any]]:
        return 200, {"namespaces": list(self.namespaces.values())}

    def _list_snapshots(self, namespaceName: str) -> tuple[int, dict[str, Any]]:  # noqa: N803
        return 200, {"snapshots": [x for x in self.snapshots if x["namespaceName"] == namespaceName]}

    def _running(self, what: str) -> tuple[int, dict[str, Any]] | None:
        """Terraform's provider waits ten minutes for this to pass, at workgroups and at namespaces."""
        if not self.busy[what]:
            return None
        self.busy[what] -= 1
        words = f"There is an operation running on the {what}. Try deleting the {what} again later."
        return 409, {"Error": {"Code": "ConflictException", "Message": words}}

    def _delete_workgroup(self, workgroupName: str) -> tuple[int, dict[str, Any]]:  # noqa: N803
        if running := self._running("workgroup"):
            return running
        found = self.workgroups[workgroupName]
        found |= {"status": "DELETING", "looks": 0}
        self.limits = [limit for limit in self.limits if limit["resourceArn"] != found["workgroupArn"]]
        return 200, {"workgroup": found}

    def _delete_namespace(self, namespaceName: str, **more: str) -> tuple[int, dict[str, Any]]:  # noqa: N803
        if self.workgroups.get(namespaceName):
            return self._conflict(namespaceName)
        if running := self._running("namespace"):
            return running
        found = self.namespaces[namespaceName]
        found |= {"status": "DELETING", "looks": 0}
        if secret := found.get("adminPasswordSecretArn"):
            self._secrets.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
        if name := more.get("finalSnapshotName"):
            self.snapshots.append(
                {"snapshotName": name, "namespaceName": namespaceName, "status": "AVAILABLE"}
            )
        return 200, {"namespace": found}

    def left(self) -> list[Any]:
        """What would be billed on, snapshots apart."""
        return [*self.namespaces, *self.workgroups, *self.limits]
