"""A real moto server for each worker, ports to it, and scripted ones for what moto cannot play."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from sparkify.cluster import credentials
from sparkify.cluster.aws import Aws
from sparkify.settings import Settings, load_settings, resolution

REGION = "us-west-2"
DWH_CFG = """\
# The mission's file, as people fill it in.
[AWS]
KEY = 'testing-key'
SECRET = 'testing-secret'
ENDPOINT_URL = {endpoint}

[CLUSTER]
HOST=
DB_NAME='dwh'
DB_USER='dwhuser'
DB_PASSWORD='Passw0rd'
DB_PORT=5439

[IAM_ROLE]
ARN=''

[DWH]
DWH_CLUSTER_TYPE=multi-node
DWH_NUM_NODES=4
DWH_NODE_TYPE=ra3.large
DWH_IAM_ROLE_NAME=dwhRole
DWH_CLUSTER_IDENTIFIER=dwhCluster
; the data
[S3]
LOG_DATA='s3://sparkify-test/log_data'
LOG_JSONPATH='s3://sparkify-test/log_json_path.json'
SONG_DATA='s3://sparkify-test/song_data'
STAGING='s3://sparkify-test/staging'
"""


@pytest.fixture(autouse=True)
def _no_real_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "SPARKIFY_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


@pytest.fixture(scope="session")
def moto_process() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", "from moto.server import main; main()", "-p", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        endpoint = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{endpoint}/moto-api/", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail("moto did not start")
        yield endpoint
        process.kill()


@pytest.fixture
def moto(moto_process: str) -> str:
    """An empty AWS; its endpoint."""
    request = urllib.request.Request(f"{moto_process}/moto-api/reset", method="POST")
    urllib.request.urlopen(request, timeout=10).close()
    resolution._header_of.cache_clear()  # a bucket of that name was perhaps elsewhere
    return moto_process


@pytest.fixture
def config(moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dwh.cfg in the current folder that points at moto; commands of this process do not sleep.

    Their clients are made once for all tests: making them anew costs more than all the rest of a command.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(credentials, "connect", lambda settings: port_to(settings.aws.endpoint_url))
    path = tmp_path / "dwh.cfg"
    path.write_text(DWH_CFG.format(endpoint=moto), encoding="utf-8")
    path.chmod(0o600)
    return path


def port_to(endpoint: str) -> Aws:
    """The port to a server, that does not sleep."""
    client = partial(raw_client, endpoint)
    return Aws(client, region=REGION, clock=lambda: datetime.now(UTC), sleep=lambda _: None)


@cache
def raw_client(endpoint: str, service: str, region: str = REGION) -> Any:
    """A client of the test's own, to look at what is really there."""
    return boto3.client(  # type: ignore[call-overload]
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id="testing-key",
        aws_secret_access_key="testing-secret",
    )


def everything(endpoint: str, region: str = REGION) -> dict[str, Any]:
    """All that could be billed or left behind, without ids that differ from run to run."""
    redshift, ec2, iam = (raw_client(endpoint, name, region) for name in ("redshift", "ec2", "iam"))
    groups = {
        group["GroupId"]: group
        for group in ec2.describe_security_groups()["SecurityGroups"]
        if group["GroupName"] != "default"
    }
    return {
        "clusters": [
            {
                key: cluster[key]
                for key in (
                    "ClusterIdentifier", "ClusterStatus", "NodeType", "NumberOfNodes", "Encrypted",
                    "IamRoles",                    "PubliclyAccessible", "DBName", "MasterUsername",
                )
            }
            | {"groups": [groups[g["VpcSecurityGroupId"]]["GroupName"] for g in cluster["VpcSecurityGroups"]]}
            | {"tags": sorted(tag["Key"] for tag in cluster["Tags"])}
            for cluster in redshift.describe_clusters()["Clusters"]
        ],
        "snapshots": len(redshift.describe_cluster_snapshots()["Snapshots"]),
        "roles": {
            role["RoleName"]: [
                role["AssumeRolePolicyDocument"],
                [
                    iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
                    for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
                ],
                sorted(tag["Key"] for tag in iam.list_role_tags(RoleName=role["RoleName"])["Tags"]),
            ]
            for role in iam.list_roles()["Roles"]
        },
        "groups": sorted(
            [group["GroupName"], sorted(tag["Key"] for tag in group["Tags"])] for group in groups.values()
        ),
        "ingress": sorted(
            [groups[rule["GroupId"]]["GroupName"], rule["CidrIpv4"], rule["FromPort"], rule["ToPort"]]
            for rule in ec2.describe_security_group_rules()["SecurityGroupRules"]
            if not rule["IsEgress"] and rule["GroupId"] in groups
        ),
        "secrets": [
            secret["Name"]
            for secret in raw_client(endpoint, "secretsmanager", region).list_secrets()["SecretList"]
        ],
    }  # fmt: skip


NOTHING: dict[str, Any] = {
    "clusters": [], "snapshots": 0, "roles": {}, "groups": [], "ingress": [], "secrets": [],
}  # fmt: skip


@dataclass
class Clock:
    """A clock that only sleeping moves."""

    now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


class Script:
    """A port whose answers are written down beforehand; every request is validated by botocore."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clients: dict[str, Any] = {}
        self.stubbers: dict[str, Stubber] = {}
        self.aws = Aws(self.client, region=REGION, clock=self.clock, sleep=self.clock.sleep)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            client = boto3.client(  # type: ignore[call-overload]
                service, region_name=REGION, aws_access_key_id="key", aws_secret_access_key="secret"
            )
            self.clients[service] = client
            self.stubbers[service] = Stubber(client)
            self.stubbers[service].activate()
        return self.clients[service]

    def answer(
        self, service: str, operation: str, answer: dict[str, Any], expected: dict[str, Any] | None = None
    ) -> None:
        """The next call of that service: this operation, these parameters, this answer."""
        self.client(service)
        self.stubbers[service].add_response(operation, answer, expected)

    def refuse(self, service: str, operation: str, code: str, message: str = "No.") -> None:
        """The next call of that service fails."""
        self.client(service)
        self.stubbers[service].add_client_error(operation, code, message)

    def cluster(self, *states: str) -> None:
        """What describe_clusters says next, one state after the other; `-` for not found."""
        for state in states:
            if state == "-":
                self.refuse(
                    "redshift", "describe_clusters", "ClusterNotFound", "Cluster dwhcluster not found."
                )
            else:
                self.answer("redshift", "describe_clusters", {"Clusters": [described(state)]})

    def done(self) -> None:
        """Every answer was asked for."""
        for stubber in self.stubbers.values():
            stubber.assert_no_pending_responses()


def described(state: str, **more: Any) -> dict[str, Any]:
    """A cluster of ours as DescribeClusters shows it; the endpoint appears when it is made."""
    endpoint = {} if state == "creating" else {"Endpoint": {"Address": "dwhcluster.x.aws", "Port": 5439}}
    return {
        "ClusterIdentifier": "dwhcluster",
        "ClusterStatus": state,
        "NodeType": "ra3.large",
        "NumberOfNodes": 4,
        "ClusterCreateTime": datetime(2026, 11, 23, 2, tzinfo=UTC),
        "Tags": [{"Key": "sparkify:cluster", "Value": "dwhcluster"}],
        **endpoint,
        **more,
    }


@pytest.fixture
def script() -> Iterator[Script]:
    played = Script()
    yield played
    played.done()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The mission's settings, without a server behind them."""
    path = tmp_path / "dwh.cfg"
    path.write_text(DWH_CFG.format(endpoint=""), encoding="utf-8")
    return load_settings(path)
