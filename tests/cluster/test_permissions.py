"""The policies printed are enough and not more: each command runs under its own, as IAM would have it.

What AWS asks for a call stands in ``aws_permissions.toml``; what a policy allows, ``iam.py`` tells.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sparkify.cli.app import run
from sparkify.cluster import credentials, database_login, policy
from sparkify.cluster.aws import Aws
from sparkify.cluster.policy import PolicyScope, statement_for
from sparkify.cluster.spec import Sources
from sparkify.lake.uri import S3Location
from sparkify.settings import Settings
from tests.cluster.conftest import DWH_CFG, port_to, raw_client
from tests.cluster.iam import Guard, Request, allows, matches, s3_guard, table
from tests.cluster.serverless_double import ServerlessDouble
from tests.conftest import S3Server
from tests.data_api import data_api_of
from tests.lake.regional import regional
from tests.records import play, song, write_records
from tests.warehouses import OnRedshift, Warehouses, options_of

# Asked for in the same feature of RDS; Redshift's page does not name it.
NOT_DOCUMENTED = {"kms:DescribeKey"}
Watch = Callable[[Guard], Guard]


@pytest.fixture
def under(config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Let the calls of the commands be judged by a guard."""
    guards: list[Guard] = []

    def watch(guard: Guard) -> Guard:
        def connect(settings: Settings) -> Aws:
            aws = port_to(settings.aws.endpoint_url)
            make = aws._client
            aws._client = lambda service: guard.watch(make(service))
            return aws

        monkeypatch.setattr(credentials, "connect", connect)
        guards.append(guard)
        return guard

    yield watch
    for guard in guards:
        guard.stop()


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


@pytest.mark.parametrize("managed", [False, True])
def test_the_operator_needs_all_of_its_policy_and_no_more(config, moto, under, capsys, managed):
    if managed:
        config.write_text(config.read_text().replace("'Passw0rd'", ""))
    ec2, redshift = raw_client(moto, "ec2"), raw_client(moto, "redshift")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    redshift.create_cluster_subnet_group(ClusterSubnetGroupName="mine", Description="x", SubnetIds=[subnet])
    guard = under(Guard(printed(capsys, "operator")))
    create = ["cluster", "create", "--yes"]
    assert run([*create, "--subnet-group", "mine"]) == 0
    # Another place to read from: the role is brought up to date. Its trust was changed by somebody.
    config.write_text(config.read_text().replace("song_data", "songs"))
    distrust(moto)
    assert run([*create, "--expires-in", "2d"]) == 0
    run(["doctor"])  # there is no bucket; what it asks of the role is the operator's too
    for command in (
        ["status"], ["open-port", "--cidr", "203.0.113.7/32"], ["close-port"], ["pause"], ["resume"],
        ["destroy", "--yes"],
    ):  # fmt: skip
        assert run(["cluster", *command]) == 0
    assert guard.denied == []
    assert actions_in(guard.document) - NOT_DOCUMENTED == guard.needed


@pytest.mark.parametrize("managed", [False, True])
def test_so_does_the_operator_of_serverless(config, moto, under, capsys, monkeypatch, managed):
    if managed:
        config.write_text(config.read_text().replace("'Passw0rd'", ""))
    guard = under(Guard(printed(capsys, "operator", "--serverless")))
    double = ServerlessDouble(moto, guard.watch)
    monkeypatch.setattr(credentials, "connect", double.connect)
    for command in (
        ["create", "--yes"], ["create", "--yes", "--expires-in", "2d"], ["status"],
        ["open-port", "--cidr", "203.0.113.7/32"], ["close-port"],
    ):  # fmt: skip
        assert run(["cluster", *command, "--serverless"]) == 0, command
    config.write_text(config.read_text().replace("song_data", "songs"))
    distrust(moto)
    assert run(["cluster", "create", "--yes", "--serverless"]) == 0
    run(["doctor"])
    assert run(["cluster", "destroy", "--yes", "--serverless"]) == 0
    assert guard.denied == []
    assert actions_in(guard.document) - NOT_DOCUMENTED == guard.needed


@pytest.fixture
def place(warehouses: Warehouses, s3: S3Server, tmp_path: Path) -> Iterator[OnRedshift]:
    """A database of the stand-in, and two files in S3 to load."""
    with warehouses.temporary("redshift", tmp_path / "w") as place:
        assert isinstance(place, OnRedshift)
        bucket = s3.root / "policies"
        write_records(bucket / "song_data" / "a.json", song())
        write_records(bucket / "log_data" / "a.json", play())
        own = place.config.read_text()
        place.config.write_text(
            f"{own}LOG_DATA = s3://{bucket.name}/log_data\nSONG_DATA = s3://{bucket.name}/song_data\n"
            "[DWH]\nDWH_CLUSTER_TYPE = multi-node\nDWH_CLUSTER_IDENTIFIER = dwhcluster\n"
        )
        yield place
        place.server.configure(s3_endpoint=s3.endpoint)
        place.server.passwords.pop(f"IAM:{place.server.options.user}", None)


def provisioned(place: OnRedshift, moto: str, guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster in moto, whose temporary passwords the stand-in takes."""
    raw_client(moto, "redshift").create_cluster(
        ClusterIdentifier="dwhcluster",
        NodeType="ra3.large",
        MasterUsername=place.server.options.user,
        MasterUserPassword="Passw0rd",
        ClusterType="single-node",
    )
    port = port_to(moto)
    make = port._client
    port._client = lambda service: guard.watch(make(service))
    monkeypatch.setattr(credentials, "connect", lambda _: port)
    real = database_login.database_credentials

    def log_in(aws: Aws, settings: Settings) -> tuple[str, str]:
        user, password = real(aws, settings)
        place.server.passwords[f"IAM:{user.removeprefix('IAM:')}"] = password
        return f"IAM:{user.removeprefix('IAM:')}", password

    monkeypatch.setattr(database_login, "database_credentials", log_in)


def serverless(
    place: OnRedshift, config: Path, moto: str, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> ServerlessDouble:
    """A workgroup made by somebody who may do everything; AWS keeps the stand-in's password."""
    double = ServerlessDouble(moto)
    double.password = place.server.options.password
    monkeypatch.setattr(credentials, "connect", double.connect)
    text = config.read_text().replace("'Passw0rd'", "").replace("'dwhuser'", place.server.options.user)
    config.write_text(text)
    assert run(["cluster", "create", "--yes", "--serverless"]) == 0
    double.watch = guard.watch
    place.config.write_text(place.config.read_text().replace("multi-node", "serverless"))
    return double


@pytest.mark.parametrize("kind", ["password", "provisioned", "serverless"])
def test_doctor_and_etl_run_under_the_policy_of_the_etl(
    place: OnRedshift, config, moto, under, capsys, monkeypatch, s3: S3Server, kind
):
    """The whole way: login, listing, reading, STAGING; and COPY reads under the policy of the role."""
    text = place.config.read_text()
    if kind != "password":
        text = text.replace(f"DB_PASSWORD = {place.server.options.password}", "DB_PASSWORD =")
    place.config.write_text(text)
    guard, role = under(Guard({})), Guard({})
    if kind == "serverless":
        serverless(place, config, moto, guard, monkeypatch)
    else:
        provisioned(place, moto, guard, monkeypatch)
    where = ["--config", str(place.config), "--account", "123456789012"]
    guard.document, role.document = printed(capsys, "etl", *where), printed(capsys, "copy", *where)
    with regional(s3.endpoint) as ours, regional(s3.endpoint) as clusters:
        ours.judge, clusters.judge = s3_guard(guard), s3_guard(role)
        place.server.configure(s3_endpoint=clusters.endpoint)
        place.config.write_text(place.config.read_text().replace(s3.endpoint, ours.endpoint))
        assert run(["doctor", *options_of(place)]) == 0, capsys.readouterr().out
        # Of the role alone doctor says that it was not checked: a run has no business with it.
        assert {request.action for request in guard.denied} <= {"iam:GetRole"}
        guard.denied.clear()
        assert run(["create-tables", *options_of(place)]) == 0
        assert run(["etl", *options_of(place)]) == 0
    assert place.rows("SELECT COUNT(*) FROM songplays") == [(1,)]
    assert guard.denied == role.denied == []
    assert role.needed == {"s3:GetObject"}
    assert {"s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"} <= guard.needed
    login = {"provisioned": "redshift:GetClusterCredentials", "serverless": "secretsmanager:GetSecretValue"}
    assert login.get(kind, "s3:GetObject") in guard.needed


@pytest.mark.parametrize("kind", ["provisioned", pytest.param("serverless", marks=pytest.mark.thorough)])
def test_so_they_do_over_the_data_api(
    place: OnRedshift, warehouses: Warehouses, config, moto, under, capsys, monkeypatch, kind
):
    """Submitting, the user's credentials or secret, and what becomes of one's own statements; no more."""
    text = place.config.read_text().replace(place.server.options.password, "")
    place.config.write_text(text.replace("[CLUSTER]\n", "[CLUSTER]\nTRANSPORT = data-api\n"))
    guard = under(Guard({}))
    with data_api_of(warehouses, monkeypatch) as api:

        def led(client: Any) -> Any:
            other = client.meta.service_model.service_name == "redshift-data"
            return guard.watch(raw_client(api.endpoint, "redshift-data") if other else client)

        if kind == "serverless":
            double = serverless(place, config, moto, guard, monkeypatch)
            double.watch = led
            secret = double.namespaces["dwhcluster"]["adminPasswordSecretArn"]
            api.secrets[secret] = place.server.options.user
        else:
            provisioned(place, moto, guard, monkeypatch)
            port = port_to(moto)
            port._client = lambda service: led(raw_client(moto, service))
            monkeypatch.setattr(credentials, "connect", lambda _: port)
        guard.document = printed(capsys, "etl", "--config", str(place.config), "--account", "123456789012")
        run(["doctor", *options_of(place)])
        said = capsys.readouterr().out
        assert f"lets {place.server.options.user} in" in said, said
        guard.denied.clear()
        assert run(["etl", *options_of(place)]) == 0
        assert place.rows("SELECT COUNT(*) FROM songplays") == [(1,)]
        assert guard.denied == []
        ours = {action for action in actions_in(guard.document) if action.startswith("redshift-data:")}
        # A statement that has failed is described; none has.
        assert ours - {"redshift-data:DescribeStatement"} <= guard.needed
        login = "secretsmanager:GetSecretValue" if kind == "serverless" else "redshift:GetClusterCredentials"
        assert login in guard.needed

        kept = [each for each in guard.document["Statement"] if each["Sid"] != "Submit"]
        guard.document["Statement"] = kept
        capsys.readouterr()
        assert run(["check", *options_of(place)]) == 1
        said = capsys.readouterr().err
        assert "may not do redshift-data:ExecuteStatement" in said
        assert "cluster policy etl" in said


def test_the_data_api_is_in_a_policy_only_where_it_is_used():
    def asked(scope: PolicyScope) -> set[str]:
        return {each for each in actions_in(policy.etl(scope)) if each.startswith("redshift-data:")}

    assert asked(SCOPE) == set()
    assert len(asked(replace(SCOPE, data_api=True))) == 4
    theirs = {"redshift-data:statement-owner-iam-userid": "AROAEXAMPLE:else"}
    document = policy.etl(replace(SCOPE, data_api=True))
    assert not allows(document, Request("redshift-data:CancelStatement", "*", theirs))
    other = Request("redshift-data:ExecuteStatement", "arn:aws:redshift:us-west-2:123456789012:cluster:else")
    assert not allows(document, other)


def test_the_evaluator_judges_as_iam_does():
    def policy_of(**statement: Any) -> dict[str, Any]:
        return {"Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"} | statement]}

    asked = Request("s3:GetObject", "arn:aws:s3:::b/k", {"s3:prefix": "log/a"})
    assert allows(policy_of(), asked)
    assert allows(policy_of(Action=["s3:x", "S3:getobject"], Resource=["arn:aws:s3:::b/*"]), asked)
    assert not allows(policy_of(Resource="arn:aws:s3:::c/*"), asked)
    assert not allows(policy_of(Action="s3:Put*"), asked)
    assert allows(policy_of(Condition={"StringLike": {"s3:prefix": ["log/*"]}}), asked)
    assert not allows(policy_of(Condition={"StringEquals": {"s3:prefix": ["log/*"]}}), asked)
    assert not allows(policy_of(Condition={"StringLike": {"aws:RequestTag/x": "*"}}), asked), "a missing key"
    denied = policy_of()
    denied["Statement"].append({"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"})
    assert not allows(denied, asked)
    # An action without a resource type is asked for on *, which only * matches.
    assert not allows(policy_of(Resource="arn:aws:s3:::*"), Request("s3:GetObject", "*"))
    assert matches("a${*}b?", "a*bc")
    assert not matches("a${*}b", "axb")


def test_each_call_names_the_page_it_is_from():
    assert all(call["url"].startswith("https://docs.aws.amazon.com/") for call in table().values())


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
    scope = replace(SCOPE, serverless=serverless, managed_password=True)
    seeing = ("Describe", "Get", "List")
    for statement in policy.operator(scope)["Statement"]:
        changing = [a for a in statement["Action"] if not a.split(":")[1].startswith(seeing)]
        # On what a usage limit is set no policy can say: the action has no resource type.
        unlimited = statement["Action"] == ["redshift-serverless:CreateUsageLimit"]
        assert not changing or unlimited or statement["Resource"] != "*", statement
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
