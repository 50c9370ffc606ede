"""A cluster in one region and commands that look in another: they name the region and touch nothing.

IAM has no regions, so that the role is found from everywhere; clusters, groups and secrets are not. moto
plays both regions.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sparkify.cli.app import run
from sparkify.cluster import credentials
from sparkify.cluster.aws import Aws
from sparkify.cluster.database_login import database_credentials
from sparkify.cluster.lifecycle import find_here
from sparkify.cluster.provisioned import Provisioned
from sparkify.cluster.region import region_of_host
from sparkify.errors import ConfigError
from sparkify.settings import Secret, Settings, load_settings
from sparkify.settings.resolution import cluster_region
from tests.cluster.conftest import Clock, everything, raw_client

HERE, THERE = "us-east-1", "us-west-2"
COMMANDS = (
    ["status"],
    ["pause"],
    ["resume"],
    ["open-port", "--cidr", "203.0.113.7/32"],
    ["close-port"],
    ["create", "--yes"],
    ["destroy", "--yes"],
)


@pytest.fixture
def regions(config: Path, moto: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration of `config`, and ports to the region that it, or the environment, names."""

    def connect(settings: Settings) -> Aws:
        region = cluster_region(settings.aws)
        clock = Clock()
        return Aws(partial(client, moto, region), region=region, clock=clock, sleep=clock.sleep)

    monkeypatch.setattr(credentials, "connect", connect)
    return config


def client(endpoint: str, region: str, service: str) -> Any:
    return raw_client(endpoint, service, region)


def state(endpoint: str) -> list[dict[str, Any]]:
    """Everything there is in both regions."""
    return [everything(endpoint, region) for region in (HERE, THERE)]


def in_region(config: Path, region: str) -> None:
    """Say another REGION in dwh.cfg, as a person does."""
    lines = config.read_text().splitlines(keepends=True)
    lines = [line for line in lines if not line.startswith("REGION")]
    config.write_text("".join(lines).replace("[AWS]\n", f"[AWS]\nREGION = {region}\n"))


def test_create_records_the_region_it_used_wherever_it_came_from(regions, moto, monkeypatch):
    monkeypatch.setenv("AWS_REGION", HERE)
    assert run(["cluster", "create", "--yes", "--no-wait"]) == 0
    assert load_settings(regions).aws.region == HERE
    monkeypatch.setenv("AWS_REGION", THERE)  # another shell
    assert run(["cluster", "create", "--yes"]) == 0
    here, there = state(moto)
    assert (len(here["clusters"]), len(there["clusters"])) == (1, 0)
    tags = raw_client(moto, "iam").list_role_tags(RoleName="dwhRole")["Tags"]
    assert {"Key": "sparkify:region", "Value": HERE} in tags


def test_a_create_that_fails_has_recorded_the_region_before(regions, moto, monkeypatch):
    monkeypatch.setenv("AWS_REGION", HERE)
    monkeypatch.setattr("sparkify.cluster.lifecycle.create", lambda *_, **__: 1 / 0)
    assert run(["cluster", "create", "--yes"]) == 1
    assert load_settings(regions).aws.region == HERE


@pytest.mark.parametrize("told_by", ["host", "role's tag", "role's trust"])
def test_commands_that_look_in_another_region_touch_nothing(regions, moto, capsys, told_by):
    in_region(regions, HERE)
    assert run(["cluster", "create", "--yes", *(["--no-write"] if told_by != "host" else [])]) == 0
    if told_by == "role's trust":  # made by a version that had no such tag
        raw_client(moto, "iam").untag_role(RoleName="dwhRole", TagKeys=["sparkify:region"])
    in_region(regions, THERE)
    before, text = state(moto), regions.read_text()
    for command in COMMANDS:
        capsys.readouterr()
        assert run(["cluster", *command]) == 2, command
        shown = capsys.readouterr()
        assert HERE in shown.err, command
        assert THERE in shown.err, command
        assert f"REGION = {HERE}" in " ".join(shown.err.split()), command
        assert "gone" not in shown.out
        assert state(moto) == before
    assert regions.read_text() == text
    in_region(regions, HERE)
    assert run(["cluster", "destroy", "--yes", "--skip-final-snapshot"]) == 0
    assert [found["clusters"] for found in state(moto)] == [[], []]


def test_who_may_not_look_at_roles_is_told_what_there_is(script, settings):
    """Status needs no more than DescribeClusters: without the role only HOST tells."""
    script.cluster("-")
    script.refuse("iam", "get_role", "AccessDenied")
    assert find_here(script.aws, Provisioned(script.aws, "dwhcluster"), settings) is None


def test_destroy_says_where_it_has_looked(regions, moto, capsys):
    in_region(regions, HERE)
    assert run(["cluster", "destroy", "--yes"]) == 0
    assert f"in {HERE}" in capsys.readouterr().out
    assert run(["cluster", "destroy", "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["region"] == HERE


def test_a_temporary_password_is_not_asked_for_in_another_region(script, settings):
    """AWS would say that there is no such cluster."""
    host = f"dwhcluster.abc.{HERE}.redshift.amazonaws.com"
    cluster = replace(settings.cluster, host=host, db_password=Secret(""))
    with pytest.raises(ConfigError, match=HERE):
        database_credentials(script.aws, replace(settings, cluster=cluster))


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("dwh.c1abc.us-east-1.redshift.amazonaws.com", "us-east-1"),
        ("dwh.123456789012.eu-central-1.redshift-serverless.amazonaws.com", "eu-central-1"),
        ("dwh.c1abc.cn-north-1.redshift.amazonaws.com.cn", "cn-north-1"),
        ("dwh.c1abc.us-gov-west-1.redshift.amazonaws.com", "us-gov-west-1"),
        ("DWH.c1abc.US-EAST-1.redshift.amazonaws.com", "us-east-1"),
        ("warehouse.example.com", ""),
        ("localhost", ""),
        ("", ""),
    ],
)
def test_the_region_in_the_name_of_a_host(host, region):
    assert region_of_host(host) == region
