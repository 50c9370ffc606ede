"""Redshift Serverless: the same life, with a usage limit from the first minute."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkify.cli.app import run
from sparkify.cluster import credentials
from sparkify.cluster.aws import Aws
from sparkify.settings import load_settings
from tests.cluster.conftest import NOTHING, everything
from tests.cluster.serverless_double import ServerlessDouble
from tests.records import play, song, write_records
from tests.tiers import sweep
from tests.warehouses import OnRedshift, Warehouses, options_of

CREATE = ["cluster", "create", "--yes", "--serverless"]
DESTROY = ["cluster", "destroy", "--yes"]


@pytest.fixture
def double(moto: str, monkeypatch: pytest.MonkeyPatch) -> ServerlessDouble:
    made = ServerlessDouble(moto)
    monkeypatch.setattr(credentials, "connect", made.connect)
    return made


def test_create_makes_namespace_workgroup_and_limit(config, double):
    assert run([*CREATE, "--base-rpus", "16", "--limit-rpu-hours", "20"]) == 0
    made = double.workgroups["dwhcluster"]
    # AWS would choose the capacity by itself, above the one whose price is shown, unless told not to.
    assert (made["baseCapacity"], made["maxCapacity"]) == (16, 16)
    assert made["pricePerformanceTarget"] == {"status": "DISABLED"}
    assert double.limits == [
        {
            "resourceArn": "arn:aws:redshift-serverless:us-west-2:123456789012:workgroup/dwhcluster-id",
            "usageType": "serverless-compute",
            "amount": 20,
            "period": "daily",
            "breachAction": "deactivate",
        }
    ]
    settings = load_settings(config)
    # The file knows from now on which kind it is: no other command needs --serverless.
    assert settings.dwh.dwh_cluster_type == "serverless"
    assert settings.cluster.host.endswith(".redshift-serverless.amazonaws.com")
    assert run(["cluster", "status"]) == 0


def test_create_again_makes_nothing_twice(config, double, moto):
    assert run(CREATE) == 0
    before = (everything(moto), len(double.limits))
    assert run(CREATE) == 0
    assert (everything(moto), len(double.limits)) == before


def test_destroy_leaves_the_final_snapshot_only(config, double, moto, capsys):
    assert run(CREATE) == 0
    assert run(["cluster", "open-port", "--cidr", "203.0.113.7/32"]) == 0
    capsys.readouterr()
    assert run([*DESTROY, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert double.left() == []
    assert everything(moto) == NOTHING
    assert result["snapshots"] == [snapshot["snapshotName"] for snapshot in double.snapshots]
    assert len(double.snapshots) == 1
    assert run(DESTROY) == 0
    assert len(double.snapshots) == 1


class Killed(BaseException):
    """What no code of ours can catch by accident."""


def kill(double: ServerlessDouble, arguments: list[str], deadly: int, monkeypatch: Any) -> bool:
    """Run a command that dies after its nth call to Serverless; return whether it did."""
    call, start = Aws.call, double.calls

    def deadly_call(self: Aws, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        answered = call(self, service, operation, **parameters)
        if double.calls - start == deadly:
            raise Killed
        return answered

    with monkeypatch.context() as patch:
        patch.setattr(Aws, "call", deadly_call)
        try:
            assert run(arguments) == 0
        except Killed:
            return True
    return False


@pytest.mark.parametrize("slow", sweep([0, 2], 2))
def test_killed_after_each_call_it_is_continued(config, double, moto, monkeypatch, slow):
    double.slow = slow
    deadly = 1
    while kill(double, CREATE, deadly, monkeypatch):
        assert run(CREATE) == 0
        assert (len(double.namespaces), len(double.workgroups), len(double.limits)) == (1, 1, 1)
        assert run([*DESTROY, "--skip-final-snapshot"]) == 0
        assert double.left() == []
        deadly += 1
    assert deadly > 10
    deadly = 1
    while kill(double, [*DESTROY, "--skip-final-snapshot"], deadly, monkeypatch):
        assert run([*DESTROY, "--skip-final-snapshot"]) == 0
        assert double.left() == []
        assert run(CREATE) == 0
        deadly += 1
    assert deadly > 10
    assert everything(moto) == NOTHING


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_there_is_nothing_to_pause(config, double, verb):
    assert run(CREATE) == 0
    double.workgroups["dwhcluster"]["status"] = "MODIFYING"
    double.slow = 1000
    assert run(["cluster", verb]) == 1


def test_not_waiting_would_leave_it_without_a_limit(config, double):
    assert run([*CREATE, "--no-wait"]) == 2
    assert double.left() == []


@pytest.fixture
def loaded(
    config: Path, double: ServerlessDouble, warehouses: Warehouses, tmp_path: Path
) -> Iterator[OnRedshift]:
    """A workgroup whose password AWS keeps, and what stands in for its database; two files to load."""
    with warehouses.temporary("redshift", tmp_path / "w") as place:
        assert isinstance(place, OnRedshift)
        server, options = place.server, place.server.options
        double.password = options.password
        text = config.read_text().replace("'Passw0rd'", "").replace("'dwhuser'", options.user)
        config.write_text(text)
        assert run(CREATE) == 0
        own = place.config.read_text().replace(f"DB_PASSWORD = {options.password}", "DB_PASSWORD =")
        place.config.write_text(
            f"{own}LOG_DATA = {tmp_path}/logs\nSONG_DATA = {tmp_path}/songs\n"
            "[DWH]\nDWH_CLUSTER_TYPE = serverless\nDWH_CLUSTER_IDENTIFIER = dwhcluster\n"
        )
        server.identities = double.identities
        write_records(tmp_path / "songs" / "a.json", song())
        write_records(tmp_path / "logs" / "a.json", play())
        yield place
        server.identities = {}


def test_who_leaves_the_password_to_aws_loads_as_the_administrator(loaded):
    """GetCredentials would give a user without rights; the secret is the administrator's."""
    loaded.server.statements.clear()
    assert run(["create-tables", *options_of(loaded)]) == 0
    assert run(["etl", *options_of(loaded)]) == 0
    assert loaded.rows("SELECT COUNT(*) FROM songplays") == [(1,)]
    assert {entry.user for entry in loaded.server.statements} == {loaded.server.options.user}


def test_another_user_than_the_administrator_is_the_one_aws_makes_of_the_caller(loaded, capsys):
    text = loaded.config.read_text()
    loaded.config.write_text(text.replace(f"DB_USER = {loaded.server.options.user}", "DB_USER = ann"))
    assert run(["create-tables", *options_of(loaded)]) == 1
    assert "permission denied for database" in capsys.readouterr().err
    assert run(["doctor", *options_of(loaded)]) == 1
    assert "lets IAM:moto in" in capsys.readouterr().out


def test_the_price_says_how_long_the_limit_lasts_and_where_it_is_from(config, double, capsys):
    assert run(["cluster", "create", "--serverless", "--base-rpus", "128", "--yes"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert (
        "$48.00 an hour of queries, at most $9.00 a day: 11 minutes of queries, then none that day" in shown
    )
    assert "list price of us-east-1, not of us-west-2" in shown


def test_destroy_gives_up_on_what_stays_busy(config, double, capsys):
    assert run(CREATE) == 0
    double.busy["workgroup"] = 10_000
    assert run([*DESTROY, "--timeout", "5"]) == 1
    assert "an operation is running on the workgroup" in capsys.readouterr().err
    double.busy["workgroup"] = 0
    assert run(DESTROY) == 0


def test_create_says_as_whom_a_run_logs_in(config, double, capsys):
    config.write_text(config.read_text().replace("'Passw0rd'", ""))
    assert run(CREATE) == 0
    shown = capsys.readouterr().out
    assert "logs in as dwhuser, with the password that Secrets Manager keeps" in shown
    assert double.password not in shown
