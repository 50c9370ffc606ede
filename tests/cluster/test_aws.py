"""AWS's errors become sentences with a remedy, and what may pass is tried again."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, TokenRetrievalError

from sparkify.cluster import credentials
from sparkify.cluster.aws import PAUSES, Aws
from sparkify.errors import ClusterError, ConfigError
from sparkify.settings import AwsSettings, Secret, load_settings
from tests.cluster.conftest import REGION, Clock


def describe(aws: Aws) -> dict[str, Any]:
    return aws.call("redshift", "describe_clusters", tolerate=("ClusterNotFound",))


def test_throttling_is_waited_out(script):
    for _ in range(3):
        script.refuse("redshift", "describe_clusters", "Throttling", "Rate exceeded")
    script.answer("redshift", "describe_clusters", {"Clusters": []})
    assert describe(script.aws)["Clusters"] == []
    assert script.clock.slept == [1, 2, 4]


def test_throttling_without_end_is_an_error_that_says_wait(script):
    for _ in range(len(PAUSES) + 1):
        script.refuse("redshift", "describe_clusters", "ThrottlingException")
    with pytest.raises(ClusterError) as caught:
        describe(script.aws)
    assert sum(script.clock.slept) == sum(PAUSES)
    assert "Wait" in caught.value.hint


def test_an_answer_that_is_not_awss_is_an_error_with_a_sentence(script, monkeypatch: pytest.MonkeyPatch):
    """ENDPOINT_URL may be a server that knows S3 and nothing else."""

    def unknown(**_: Any) -> None:
        raise ClientError({}, "DescribeClusters")

    monkeypatch.setattr(script.client("redshift"), "describe_clusters", unknown)
    with pytest.raises(ClusterError, match=r"^AWS refused .*\(an answer that is not AWS's\)$"):
        describe(script.aws)


@pytest.mark.parametrize(
    ("code", "said", "remedy"),
    [
        ("ExpiredToken", "expired", "aws sso login"),
        ("RequestExpired", "expired", "aws sso login"),
        ("InvalidClientTokenId", "does not know these credentials", "KEY and SECRET"),
        ("ClusterQuotaExceeded", "number of clusters", "Service Quotas"),
        ("NumberOfNodesQuotaExceeded", "number of nodes", "Service Quotas"),
        ("InsufficientClusterCapacity", "no capacity", "DWH_NODE_TYPE"),
        ("InvalidClusterState", "present state", "status --wait"),
        ("SomethingNew", "SomethingNew", "run the same command again"),
    ],
)
def test_each_refusal_has_a_sentence_and_a_remedy(script, code, said, remedy):
    script.refuse("redshift", "describe_clusters", code, "Because.")
    with pytest.raises(ClusterError) as caught:
        describe(script.aws)
    assert said in caught.value.message
    assert remedy in caught.value.hint
    assert caught.value.action == "redshift:DescribeClusters"
    assert script.clock.slept == []


def test_no_permission_names_the_action_and_the_statement_that_allows_it(script):
    script.refuse("redshift", "describe_clusters", "AccessDenied")
    with pytest.raises(ClusterError) as caught:
        describe(script.aws)
    assert "redshift:DescribeClusters" in caught.value.message
    assert "statement See of `sparkify cluster policy operator`" in caught.value.hint


def test_no_permission_names_the_action_aws_named_where_it_is_another(script):
    message = "User: arn:aws:iam::1:user/ann is not authorized to perform: iam:PassRole on resource: role/x"
    script.refuse("redshift", "create_cluster", "AccessDenied", message)
    with pytest.raises(ClusterError) as caught:
        script.aws.call(
            "redshift", "create_cluster", ClusterIdentifier="x", NodeType="ra3.large", MasterUsername="u"
        )
    assert caught.value.action == "iam:PassRole"
    assert "PassCopyRole" in caught.value.hint


def test_a_tolerated_error_is_an_empty_answer(script):
    script.cluster("-")
    assert describe(script.aws) == {}


class Broken:
    """A client whose every call fails before it is sent."""

    class meta:  # noqa: N801  # botocore's own name
        method_to_api_mapping = {"describe_clusters": "DescribeClusters"}  # noqa: RUF012

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.calls = 0

    def describe_clusters(self) -> None:
        self.calls += 1
        raise self.error


@pytest.mark.parametrize(
    ("error", "said", "remedy", "calls"),
    [
        (NoCredentialsError(), "no AWS credentials", "aws configure", 1),
        (TokenRetrievalError(provider="sso", error_msg="x"), "sign-in has expired", "aws sso login", 1),
        (EndpointConnectionError(endpoint_url="https://x"), "could not be reached", "REGION", 3),
    ],
)
def test_what_fails_on_our_side_says_so(error, said, remedy, calls):
    clock, client = Clock(), Broken(error)
    aws = Aws(lambda _: client, region=REGION, clock=clock, sleep=clock.sleep)
    with pytest.raises(ClusterError) as caught:
        describe(aws)
    assert said in caught.value.message
    assert remedy in caught.value.hint
    assert client.calls == calls


def aws_settings(**values: str) -> AwsSettings:
    empty = {"key": "", "secret": "", "region": "", "profile": "", "endpoint_url": ""} | values
    return AwsSettings(
        Secret(empty["key"]),
        Secret(empty["secret"]),
        empty["region"],
        empty["profile"],
        empty["endpoint_url"],
    )


def connected(settings, **values: str) -> Aws:
    from dataclasses import replace

    return credentials.connect(replace(settings, aws=aws_settings(**values)))


def test_the_region_is_the_settings_then_the_environments_then_the_bucket_owners(settings, monkeypatch):
    assert connected(settings).region == "us-west-2"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert connected(settings).region == "eu-central-1"
    assert connected(settings, region="eu-north-1").region == "eu-north-1"


@pytest.mark.parametrize("values", [{"key": "only"}, {"secret": "only"}, {"profile": "nobody"}])
def test_credentials_that_cannot_work_are_a_configuration_error(settings, values):
    with pytest.raises(ConfigError):
        connected(settings, **values)


def test_secrets_that_others_can_read_are_told(tmp_path, monkeypatch):
    path = tmp_path / "dwh.cfg"
    path.write_text("[CLUSTER]\nDB_PASSWORD = Passw0rd\n")
    path.chmod(0o600)
    assert credentials.exposures(load_settings(path)) == []
    path.chmod(0o644)
    (readable,) = credentials.exposures(load_settings(path))
    assert "chmod 600" in readable
    monkeypatch.setattr(credentials, "_tracked", lambda _: True)
    path.chmod(0o600)
    (tracked,) = credentials.exposures(load_settings(path))
    assert "git rm --cached" in tracked
    assert "Passw0rd" not in readable + tracked


def test_a_file_that_git_tracks_is_known(tmp_path):
    import subprocess

    path = tmp_path / "dwh.cfg"
    path.write_text("")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    assert not credentials._tracked(path)
    subprocess.run(["git", "add", "dwh.cfg"], cwd=tmp_path, check=True)
    assert credentials._tracked(path)


def test_a_file_without_secrets_may_be_read_by_all(tmp_path):
    path = tmp_path / "dwh.cfg"
    path.write_text("[DWH]\n")
    path.chmod(0o644)
    assert credentials.exposures(load_settings(path)) == []
