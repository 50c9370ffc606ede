"""Killed after any call to AWS, `create` and `destroy` are continued by the same command to the same end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sparkify.cli.app import run
from sparkify.cluster import credentials
from sparkify.cluster.aws import Aws
from sparkify.settings import Settings, load_settings
from tests.cluster.conftest import NOTHING, everything, port_to
from tests.tiers import sweep

CREATE = ["cluster", "create", "--yes"]
OPEN = ["cluster", "open-port", "--cidr", "203.0.113.7/32"]
DESTROY = ["cluster", "destroy", "--yes", "--skip-final-snapshot"]

# How many calls a walk makes; a test below holds the numbers.
CREATE_CALLS = 14
DESTROY_CALLS = 21


class Killed(BaseException):
    """What no code of ours can catch by accident."""


class Mortal(Aws):
    """A port that dies right after the answer of call number ``deadly``; 0 never dies."""

    def __init__(self, endpoint: str, deadly: int) -> None:
        real = port_to(endpoint)
        super().__init__(real._client, region=real.region, clock=real.clock, sleep=real.sleep)
        self.left = deadly

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        self.left -= 1
        answer = super().call(service, operation, **parameters)
        if self.left == 0:
            raise Killed
        return answer


class Killer:
    """Runs commands on a port that may be mortal, and counts the calls they made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.port: Mortal
        self.deadly = 0
        monkeypatch.setattr(credentials, "connect", self.connect)

    def connect(self, settings: Settings) -> Aws:
        self.port = Mortal(settings.aws.endpoint_url, self.deadly)
        return self.port

    def run(self, arguments: list[str], deadly: int = 0) -> int:
        """Run a command to its end; return the number of calls it made."""
        self.deadly = deadly
        assert run(arguments) == 0
        return -self.port.left

    def kill(self, arguments: list[str], deadly: int) -> None:
        """Run a command that does not reach its end."""
        with pytest.raises(Killed):
            self.run(arguments, deadly)


@pytest.fixture
def killer(config: Path, monkeypatch: pytest.MonkeyPatch) -> Killer:
    return Killer(monkeypatch)


def test_the_walks_are_as_long_as_what_is_tried(config, killer):
    assert killer.run(CREATE) == CREATE_CALLS
    killer.run(OPEN)
    assert killer.run(DESTROY) == DESTROY_CALLS


@pytest.mark.parametrize("deadly", sweep(range(1, CREATE_CALLS + 1), 5))
def test_create_killed_anywhere_is_continued(config, moto, killer, deadly):
    before = config.read_text() + "REGION, which stays\n"
    killer.run(CREATE)
    whole = everything(moto)
    killer.run(DESTROY)
    assert everything(moto) == NOTHING
    assert len(config.read_text().splitlines()) == len(before.splitlines())

    killer.kill(CREATE, deadly)
    killer.run(CREATE)
    assert everything(moto) == whole
    settings = load_settings(config)
    assert settings.cluster.host.startswith("dwhcluster.")
    assert settings.iam_role.arn.endswith(":role/dwhRole")


@pytest.mark.parametrize("deadly", sweep(range(1, CREATE_CALLS + 1), 5))
def test_a_killed_create_can_be_destroyed(config, moto, killer, deadly):
    killer.kill(CREATE, deadly)
    killer.run(DESTROY)
    assert everything(moto) == NOTHING


@pytest.mark.parametrize("deadly", sweep(range(1, DESTROY_CALLS + 1), 5))
def test_destroy_killed_anywhere_is_continued(config, moto, killer, deadly):
    killer.run(CREATE)
    killer.run(OPEN)
    killer.kill(DESTROY, deadly)
    killer.run(DESTROY)
    assert everything(moto) == NOTHING
    assert load_settings(config).cluster.host == ""
