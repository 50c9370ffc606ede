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
