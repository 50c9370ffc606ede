"""The policies printed are enough and not more: compared with every call the code really makes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkify.cli.app import run
from sparkify.cluster import credentials, policy
from sparkify.cluster.aws import Aws, iam_action
from sparkify.cluster.policy import PolicyScope, statement_for
from sparkify.cluster.spec import Sources
from sparkify.lake.uri import S3Location
from sparkify.settings import Settings
from tests.cluster.conftest import DWH_CFG, port_to, raw_client
from tests.cluster.serverless_double import ServerlessDouble

# What AWS checks on the caller beyond the call itself (Redshift Management Guide, Service Authorization
# Reference), said here again: call → actions.
IMPLIED = {
    "redshift:CreateCluster": {
        "redshift:CreateTags",
        "iam:PassRole",
        "iam:CreateServiceLinkedRole",
        "ec2:DescribeAccountAttributes",
        "ec2:DescribeAddresses",
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeSubnets",
    },
    "redshift:DeleteCluster": {"redshift:CreateClusterSnapshot"},
    "iam:CreateRole": {"iam:TagRole"},
    "ec2:CreateSecurityGroup": {"ec2:CreateTags"},
}
IMPLIED["redshift-serverless:CreateNamespace"] = {"redshift-serverless:TagResource", "iam:PassRole"}
IMPLIED["redshift-serverless:CreateWorkgroup"] = IMPLIED["redshift:CreateCluster"] - {"redshift:CreateTags"}
IMPLIED["redshift-serverless:DeleteNamespace"] = {"redshift-serverless:CreateSnapshot"}
MANAGED_PASSWORD = {
    "secretsmanager:CreateSecret",
    "secretsmanager:TagResource",
    "secretsmanager:DeleteSecret",
    "kms:DescribeKey",
}
# AWS asks nobody's permission for it.
FREE = {"sts:GetCallerIdentity"}


class Recorder:
    """Collects the IAM action of every request that the clients it watches build."""

    def __init__(self) -> None:
        self.actions: set[str] = set()
        self.watched: list[Any] = []

    def watch(self, client: Any) -> Any:
        """Record what this client is asked from now on."""
        if client not in self.watched:
            client.meta.events.register("before-parameter-build", self.record)
            self.watched.append(client)
        return client

    def record(self, model: Any, **_: Any) -> None:
        self.actions.add(iam_action(model.service_model.signing_name, model.name))

    def stop(self) -> None:
        for client in self.watched:
            client.meta.events.unregister("before-parameter-build", self.record)


@pytest.fixture
def recorder(config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    watching = Recorder()

    def connect(settings: Settings) -> Aws:
        aws = port_to(settings.aws.endpoint_url)
        make = aws._client
        aws._client = lambda service: watching.watch(make(service))
        return aws

    monkeypatch.setattr(credentials, "connect", connect)
    yield watching
    watching.stop()


def actions_in(document: dict[str, Any]) -> set[str]:
    return {action for statement in document["Statement"] for action in statement["Action"]}


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["cluster", "policy", *arguments]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def distrust(endpoint: str) -> None:
    """What somebody may do to the role's trust, and `create` has to put right."""
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    raw_client(endpoint, "iam").update_assume_role_policy(RoleName="dwhRole", PolicyDocument=document)


def implied(recorded: set[str]) -> set[str]:
    return set().union(*(IMPLIED.get(action, set()) for action in recorded))


@pytest.mark.parametrize("managed", [False, True])
def test_the_operators_policy_is_what_the_commands_call(config, moto, recorder, capsys, managed):
    if managed:
        config.write_text(config.read_text().replace("'Passw0rd'", ""))
    ec2, redshift = raw_client(moto, "ec2"), raw_client(moto, "redshift")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    redshift.create_cluster_subnet_group(ClusterSubnetGroupName="mine", Description="x", SubnetIds=[subnet])
    create = ["cluster", "create", "--yes"]
    assert run([*create, "--subnet-group", "mine"]) == 0
    # Another place to read from: the role is brought up to date. Its trust was changed by somebody.
    config.write_text(config.read_text().replace("song_data", "songs"))
    distrust(moto)
    assert run([*create, "--expires-in", "2d"]) == 0
    for command in (
        ["status"], ["open-port", "--cidr", "203.0.113.7/32"], ["close-port"], ["pause"], ["resume"],
        ["destroy", "--yes"],
    ):  # fmt: skip
        assert run(["cluster", *command]) == 0
    # What doctor reads of the role is the operator's too.
    recorder.actions.add("iam:GetRolePolicy")

    needed = (recorder.actions | implied(recorder.actions) | (MANAGED_PASSWORD if managed else set())) - FREE
    assert actions_in(printed(capsys, "operator")) == needed


def test_the_serverless_operators_policy_is_what_the_commands_call(
    config, moto, recorder, capsys, monkeypatch
):
    double = ServerlessDouble(moto, recorder.watch)
    monkeypatch.setattr(credentials, "connect", double.connect)
    for command in (
        ["create", "--yes"], ["create", "--yes", "--expires-in", "2d"], ["status"],
        ["open-port", "--cidr", "203.0.113.7/32"], ["close-port"],
    ):  # fmt: skip
        assert run(["cluster", *command, "--serverless"]) == 0
    config.write_text(config.read_text().replace("song_data", "songs"))
    distrust(moto)
    assert run(["cluster", "create", "--yes", "--serverless"]) == 0
    assert run(["cluster", "destroy", "--yes", "--serverless"]) == 0
    recorder.actions.add("iam:GetRolePolicy")

    needed = (recorder.actions | implied(recorder.actions)) - FREE
    document = printed(capsys, "operator", "--serverless")
    assert actions_in(document) == needed


def test_doctor_needs_no_more_than_operator_and_etl(config, moto, recorder, capsys):
    assert run(["cluster", "create", "--yes"]) == 0
    s3 = raw_client(moto, "s3")
    s3.create_bucket(Bucket="sparkify-test", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="sparkify-test", Key="log_json_path.json", Body=b'{"jsonpaths": ["$.a"]}')
    s3.put_object(Bucket="sparkify-test", Key="log_data/a.json", Body=b"{}")
    recorder.actions.clear()
    run(["doctor"])
    allowed = actions_in(printed(capsys, "operator")) | actions_in(printed(capsys, "etl"))
    assert recorder.actions - FREE <= allowed
    # Files and STAGING are asked through the stores of a run, within what `policy etl` allows.
    assert {"redshift:DescribeClusters", "iam:GetRole", "iam:GetRolePolicy"} <= recorder.actions


PLACES = Sources(
    (S3Location("logs", "log_data"), S3Location("songs", "")),
    S3Location("logs", "log_json_path.json"),
    S3Location("work", "staging*"),
)
SCOPE = PolicyScope(
    partition="aws",
    account="123456789012",
    region="us-west-2",
    identifier="dwh",
    role_name="copier",
    database="db",
    user="etl_user",
    serverless=False,
    managed_password=False,
    sources=PLACES,
)


def test_the_copy_role_reads_exactly_the_configured_places():
    objects, *others = policy.copy(SCOPE)["Statement"]
    assert objects["Action"] == ["s3:GetObject"]
    assert objects["Resource"] == [
        "arn:aws:s3:::logs/log_data",
        "arn:aws:s3:::logs/log_data/*",
        "arn:aws:s3:::songs/*",
        "arn:aws:s3:::logs/log_json_path.json",
        "arn:aws:s3:::logs/log_json_path.json/*",
        "arn:aws:s3:::work/staging${*}",
        "arn:aws:s3:::work/staging${*}/*",
    ]
    listing = {s["Resource"]: s["Condition"]["StringLike"]["s3:prefix"] for s in others if "Condition" in s}
    assert listing == {
        "arn:aws:s3:::logs": ["log_data", "log_data/*", "log_json_path.json", "log_json_path.json/*"],
        "arn:aws:s3:::songs": ["*"],
        "arn:aws:s3:::work": ["staging${*}", "staging${*}/*"],
    }
    assert actions_in(policy.copy(SCOPE)) == {"s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"}


def test_only_our_cluster_of_our_account_may_take_the_role():
    (statement,) = policy.trust(SCOPE)["Statement"]
    assert statement["Principal"] == {"Service": ["redshift.amazonaws.com"]}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:redshift:us-west-2:123456789012:cluster:dwh"},
    }


def test_the_etl_user_is_one_user_of_one_database_and_writes_to_staging_only():
    statements = {s["Sid"]: s for s in policy.etl(SCOPE)["Statement"]}
    assert statements["LogIn"]["Resource"] == [
        "arn:aws:redshift:us-west-2:123456789012:dbuser:dwh/etl_user",
        "arn:aws:redshift:us-west-2:123456789012:dbname:dwh/db",
    ]
    assert statements["WriteStaging"]["Action"] == ["s3:DeleteObject", "s3:PutObject"]
    assert statements["WriteStaging"]["Resource"] == [
        "arn:aws:s3:::work/staging${*}",
        "arn:aws:s3:::work/staging${*}/*",
    ]


@pytest.mark.parametrize("serverless", [False, True])
def test_what_changes_something_is_limited_to_what_is_ours(serverless):
    from dataclasses import replace

    scope = replace(SCOPE, serverless=serverless, managed_password=True)
    seeing = ("Describe", "Get", "List")
    for statement in policy.operator(scope)["Statement"]:
        changing = [a for a in statement["Action"] if not a.split(":")[1].startswith(seeing)]
        assert not changing or statement["Resource"] != "*", statement
        assert not any("*" in action for action in statement["Action"])
    sids = [statement["Sid"] for statement in policy.operator(scope)["Statement"]]
    assert len(sids) == len(set(sids))
    assert all(sid.isalnum() for sid in sids)


def test_a_policy_fits_into_what_iam_takes():
    for document in (policy.operator(SCOPE), policy.copy(SCOPE), policy.etl(SCOPE)):
        # A managed policy has at most 6,144 characters, white space not counted.
        assert len(json.dumps(document, separators=(",", ":"))) < 6144


def test_every_action_of_the_operator_is_found_for_an_error_message():
    for action in actions_in(policy.operator(SCOPE)):
        assert statement_for(action) is not None
    assert statement_for("ec2:RunInstances") is None


@pytest.mark.parametrize("arguments", [["operator", "--account", "1"], ["etl", "--trust"]])
def test_policy_options_that_make_no_sense_are_refused(config, arguments):
    assert run(["cluster", "policy", *arguments]) == 2


def test_a_policy_can_be_printed_before_there_are_any_credentials(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = DWH_CFG.format(endpoint="").replace("'testing-key'", "").replace("'testing-secret'", "")
    (tmp_path / "dwh.cfg").write_text(text)
    document = printed(capsys, "copy", "--trust", "--account", "210987654321")
    assert "210987654321" in json.dumps(document)
    assert run(["cluster", "policy", "copy"]) == 1
