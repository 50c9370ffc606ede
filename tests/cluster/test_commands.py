"""The commands and the mission's scripts against a running moto, as people use them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sparkify.cli.app import run
from sparkify.settings import load_settings
from tests.cluster.conftest import NOTHING, everything, raw_client

ROOT = Path(__file__).parents[2]
OPEN = ["--cidr", "203.0.113.7/32"]


def script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of the mission's scripts in the current folder."""
    command = [sys.executable, str(ROOT / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    """Run a command with --json; return its one object."""
    capsys.readouterr()
    assert run(["cluster", *arguments, "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_missions_walk_with_its_scripts_leaves_nothing(config, moto):
    before = config.read_text()
    assert script("cluster_status.py").returncode == 6

    made = script("create_cluster.py", "--yes")
    assert (made.returncode, made.stderr.count("Error")) == (0, 0), made.stderr
    assert "$2.17 an hour, $1,586 a month" in made.stdout
    assert "Passw0rd" not in made.stdout + made.stderr
    settings = load_settings(config)
    assert settings.cluster.host.endswith(".redshift.amazonaws.com")
    assert settings.iam_role.arn == "arn:aws:iam::123456789012:role/dwhRole"
    assert settings.dwh.engine == "redshift"

    assert script("cluster_status.py").returncode == 0
    assert script("open_incoming_port.py", *OPEN).returncode == 0
    state = everything(moto)
    assert [cluster["ClusterIdentifier"] for cluster in state["clusters"]] == ["dwhcluster"]
    assert state["clusters"][0]["Encrypted"] is True
    assert state["ingress"] == [["sparkify-redshift-dwhcluster", "203.0.113.7/32", 5439, 5439]]

    assert script("destroy_cluster.py", "--yes", "--skip-final-snapshot").returncode == 0
    assert everything(moto) == NOTHING
    again = script("destroy_cluster.py")
    assert again.returncode == 0
    assert "already gone" in again.stdout
    # The region stays: the next cluster is made where this one was.
    assert config.read_text() == before.replace("\n\n[CLUSTER]", "\nREGION = us-west-2\n\n[CLUSTER]", 1)


def test_create_writes_the_file_and_nothing_else_in_it(config, moto):
    before = config.read_text()
    assert run(["cluster", "create", "--yes", "--no-write"]) == 0
    assert config.read_text() == before
    assert run(["cluster", "create", "--yes"]) == 0
    assert config.read_text().count("\nREGION = us-west-2\n") == 1
    old, new = before.splitlines(), config.read_text().replace("REGION = us-west-2\n", "").splitlines()
    changed = [(o, n) for o, n in zip(old, new, strict=True) if o != n]
    assert [o for o, _ in changed] == ["HOST=", "ARN=''"]
    assert changed[1][1] == "ARN='arn:aws:iam::123456789012:role/dwhRole'"


def test_create_says_what_it_made(config, moto, capsys):
    made = answer(capsys, "create", "--yes", "--expires-in", "8h", "--owner", "ann, of data")
    assert (made["identifier"], made["state"], made["port"]) == ("dwhcluster", "available", 5439)
    assert made["owner"] == "ann- of data"
    assert made["hourly"] == pytest.approx(4 * 0.543)
    left = datetime.fromisoformat(made["expires"]) - datetime.now(UTC)
    assert timedelta(hours=7, minutes=55) < left <= timedelta(hours=8)
    (cluster,) = everything(moto)["clusters"]
    assert cluster["tags"] == ["expires-at", "owner", "project", "sparkify:cluster"]


def test_create_does_not_resize_what_is_there_and_says_so(config, moto, capsys):
    assert run(["cluster", "create", "--yes"]) == 0
    before = everything(moto)
    config.write_text(config.read_text().replace("NODES=4", "NODES=8"))
    capsys.readouterr()
    assert run(["cluster", "create", "--yes"]) == 0
    assert "4 x ra3.large, dwh.cfg says 8 x ra3.large" in capsys.readouterr().err
    assert everything(moto) == before


def test_nothing_is_made_without_a_yes(config, moto):
    assert run(["cluster", "create"]) == 2
    assert everything(moto) == NOTHING


def test_nothing_is_sent_that_aws_would_refuse(config, moto, capsys):
    config.write_text(config.read_text().replace("ra3.large", "dc2.large").replace("Passw0rd", "short"))
    assert run(["cluster", "create", "--yes"]) == 2
    said = capsys.readouterr().err
    assert "use ra3.large" in said
    assert "DB_PASSWORD" in said
    assert "short" not in said
    assert everything(moto) == NOTHING


def test_an_empty_password_is_made_and_kept_by_aws(config, moto, monkeypatch):
    config.write_text(config.read_text().replace("'Passw0rd'", ""))
    asked: dict[str, Any] = {}
    from sparkify.cluster import provisioned

    real = provisioned.creation

    def creation(*arguments: Any) -> dict[str, Any]:
        asked.update(real(*arguments))
        return asked

    monkeypatch.setattr(provisioned, "creation", creation)
    assert run(["cluster", "create", "--yes"]) == 0
    assert asked["ManageMasterPassword"] is True
    assert "MasterUserPassword" not in asked


def test_status_tells_scripts_by_its_exit_code(config, moto, capsys):
    assert answer(capsys, "status", code=6)["state"] == "absent"
    assert run(["cluster", "create", "--yes"]) == 0
    assert answer(capsys, "status", "--wait")["state"] == "available"
    assert run(["cluster", "pause"]) == 0
    assert answer(capsys, "status", "--wait", code=5)["state"] == "paused"
    assert run(["cluster", "resume"]) == 0
    status = answer(capsys, "status")
    assert status["roles"] == ["arn:aws:iam::123456789012:role/dwhRole"]
    assert status["connections"] == []
    assert status["cost_at_most"] >= 0
    assert status["age_hours"] >= 0


@pytest.mark.parametrize(
    "command", [["status"], ["open-port", *OPEN], ["close-port"], ["pause"], ["destroy", "--yes"]]
)
def test_every_command_shouts_about_a_cluster_past_its_expiry(config, moto, capsys, command):
    assert run(["cluster", "create", "--yes"]) == 0
    tag = {"Key": "expires-at", "Value": "2026-01-01T00:00:00+00:00"}
    raw_client(moto, "redshift").create_tags(
        ResourceName="arn:aws:redshift:us-west-2:123456789012:cluster:dwhcluster", Tags=[tag]
    )
    capsys.readouterr()
    run(["cluster", *command])
    assert "EXPIRED" in capsys.readouterr().err


def test_an_expiry_can_be_moved(config, moto, capsys):
    assert run(["cluster", "create", "--yes", "--expires-in", "30m"]) == 0
    first = answer(capsys, "status")["expires"]
    assert answer(capsys, "create", "--yes")["expires"] == first
    assert answer(capsys, "create", "--yes", "--expires-in", "1w")["expires"] > first
    assert answer(capsys, "create", "--yes", "--expires-in", "never")["expires"] is None


def test_destroy_keeps_a_final_snapshot_and_says_so(config, moto, capsys):
    assert run(["cluster", "create", "--yes"]) == 0
    gone = answer(capsys, "destroy", "--yes")
    (name,) = gone["snapshots"]
    assert name.startswith("dwhcluster-final-")
    assert everything(moto) == NOTHING | {"snapshots": 1}
    assert answer(capsys, "destroy")["already_gone"] is True


def test_destroy_needs_the_name_or_a_yes(config, moto, monkeypatch):
    assert run(["cluster", "create", "--yes"]) == 0
    assert run(["cluster", "destroy"]) == 2
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.prompt", lambda *_, **__: "another")
    assert run(["cluster", "destroy"]) == 2
    assert len(everything(moto)["clusters"]) == 1
    monkeypatch.setattr("click.prompt", lambda *_, **__: "dwhcluster")
    assert run(["cluster", "destroy", "--skip-final-snapshot"]) == 0
    assert everything(moto) == NOTHING


def test_destroy_fails_while_something_billable_is_left(config, moto, capsys):
    """A password that AWS should have deleted with the cluster, and did not."""
    assert run(["cluster", "create", "--yes"]) == 0
    secrets = raw_client(moto, "secretsmanager")
    secrets.create_secret(Name="redshift!dwhcluster-dwhuser", SecretString="x")
    secrets.create_secret(Name="redshift!dwhcluster-dwhuser2", SecretString="another's")
    assert run(["cluster", "destroy", "--yes", "--skip-final-snapshot"]) == 1
    assert "redshift!dwhcluster-dwhuser" in capsys.readouterr().err
    secrets.delete_secret(SecretId="redshift!dwhcluster-dwhuser", ForceDeleteWithoutRecovery=True)
    assert run(["cluster", "destroy", "--yes"]) == 0


def test_a_role_of_others_is_used_and_kept(config, moto):
    iam = raw_client(moto, "iam")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "redshift.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_role(RoleName="dwhRole", AssumeRolePolicyDocument=trust)
    before = everything(moto)["roles"]
    assert run(["cluster", "create", "--yes"]) == 0
    assert everything(moto)["roles"] == before
    assert run(["cluster", "destroy", "--yes", "--skip-final-snapshot"]) == 0
    assert everything(moto) == NOTHING | {"roles": before}


def test_a_role_that_another_cluster_uses_is_kept_and_said(config, moto, capsys):
    assert run(["cluster", "create", "--yes"]) == 0
    raw_client(moto, "redshift").create_cluster(
        ClusterIdentifier="other",
        NodeType="ra3.large",
        MasterUsername="other",
        MasterUserPassword="Passw0rd",
        IamRoles=["arn:aws:iam::123456789012:role/dwhRole"],
    )
    assert "other" in answer(capsys, "destroy", "--yes")["kept"][0]
    assert list(everything(moto)["roles"]) == ["dwhRole"]


def test_a_role_made_for_another_cluster_is_not_taken_over(config, moto):
    assert run(["cluster", "create", "--yes"]) == 0
    before = everything(moto)
    config.write_text(config.read_text().replace("dwhCluster", "second"))
    assert run(["cluster", "create", "--yes"]) == 1
    assert everything(moto) == before


def test_a_cluster_of_others_is_not_destroyed(config, moto):
    raw_client(moto, "redshift").create_cluster(
        ClusterIdentifier="dwhcluster",
        NodeType="ra3.large",
        MasterUsername="other",
        MasterUserPassword="Passw0rd",
        NumberOfNodes=2,
    )
    for command in (["create", "--yes"], ["destroy", "--yes"], ["pause"], ["open-port", *OPEN]):
        assert run(["cluster", *command]) == 1
    assert len(everything(moto)["clusters"]) == 1
    assert run(["cluster", "status"]) == 0


def test_a_host_of_another_cluster_stays_in_the_file(config, moto):
    config.write_text(config.read_text().replace("HOST=", "HOST=mine.example.com"))
    assert run(["cluster", "destroy", "--yes"]) == 0
    assert load_settings(config).cluster.host == "mine.example.com"


@pytest.mark.parametrize("duration", ["1", "d", "-1d", "1y", "0h"])
def test_an_expiry_that_is_no_duration_is_refused(config, moto, duration):
    assert run(["cluster", "create", "--yes", "--expires-in", duration]) == 2
    assert everything(moto) == NOTHING


def test_a_single_node_and_no_public_endpoint(config, moto):
    config.write_text(config.read_text().replace("multi-node", "single-node"))
    assert run(["cluster", "create", "--yes", "--private"]) == 0
    (cluster,) = everything(moto)["clusters"]
    assert (cluster["NumberOfNodes"], cluster["PubliclyAccessible"]) == (1, False)


def test_not_waiting_returns_and_the_next_create_finishes(config, moto):
    assert run(["cluster", "create", "--yes", "--no-wait"]) == 0
    assert load_settings(config).cluster.host == ""
    assert run(["cluster", "create", "--yes"]) == 0
    assert load_settings(config).cluster.host != ""
