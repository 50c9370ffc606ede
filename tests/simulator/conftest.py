from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from sparkify.settings import load_settings
from sparkify.simulator.config import load_parameters
from sparkify.simulator.world import SimulationPlan


@pytest.fixture(scope="session")
def aws():
    return load_settings(environment={}).aws


@pytest.fixture(scope="session")
def make_plan():
    """A small plan; keywords change it."""

    def make(**changes):
        small: dict[str, Any] = {
            "parameters": load_parameters(),
            "start": date(2018, 11, 1),
            "days": 5,
            "users": 60,
        }
        return SimulationPlan(**(small | {"songs": 20} | changes))

    return make


@pytest.fixture(params=["folder", "s3"])
def place(request, tmp_path):
    """A (uri, folder, aws) that is empty."""
    if request.param == "folder":
        return str(tmp_path / "lake"), tmp_path / "lake", load_settings(environment={}).aws
    server = request.getfixturevalue("s3")
    bucket = server.root / f"bucket-{abs(hash(str(tmp_path))):x}"
    bucket.mkdir()
    return f"s3://{bucket.name}/a/lake", bucket / "a" / "lake", aws_of(server)


def aws_of(server):
    flags = {"AWS.ENDPOINT_URL": server.endpoint, "AWS.KEY": server.key, "AWS.SECRET": server.secret}
    return load_settings(environment={}, flags=flags).aws
