"""The listeners: names, places, user agents, registration, frequency of listening, and departure."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from sparkify.simulator.arrivals import DAY, NEVER
from sparkify.simulator.config import Parameters
from sparkify.simulator.draws import Bits, Floats, Integers, generator

_YEAR = 365.25 * DAY
Choice = npt.NDArray[np.int16]


@cache
def words() -> dict[str, dict[str, list[str]]]:
    """Return the word lists."""
    text = resources.files("sparkify.simulator").joinpath("words.toml").read_text(encoding="utf-8")
    tables: dict[str, dict[str, str]] = tomllib.loads(text)
    return {table: {k: v.split("|") for k, v in lists.items()} for table, lists in tables.items()}


@cache
def first_names() -> list[tuple[str, str]]:
    """Return every first name with its gender, women before men."""
    people = words()["people"]
    return [(name, "F") for name in people["women"]] + [(name, "M") for name in people["men"]]


@cache
def user_agents() -> list[str]:
    """Return every user agent: each browser on each platform it ran on, and some phones."""
    lists = words()["agents"]
    agents = list(lists["phones"])
    for platform in lists["windows"] + lists["apple"] + lists["linux"]:
        agents += [
            f"Mozilla/5.0 ({platform}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version} Safari/537.36"
            for version in lists["chrome"]
        ]
        agents += [
            f"Mozilla/5.0 ({platform.replace('_', '.')}; rv:{version}) Gecko/20100101 Firefox/{version}"
            for version in lists["firefox"]
        ]
    return agents


@dataclass(frozen=True, slots=True)
class People:
    """Arrays by listener; times in ms from the start of the simulation.

    Attributes:
        first: Index into :func:`first_names`.
        family: Index into the family names.
        metro: Index into the metros.
        agent: Twice the index into :func:`user_agents`, plus one when the app quoted it.
        registered: When the listener registered; negative for those who were there before.
        leaves: The listener begins no session after this time.
        rate: Sessions a day.
        paid: Whether the listener pays at first.
        key: Where the listener's stream of random draws begins.
    """

    first: Choice
    family: Choice
    metro: Choice
    agent: Choice
    registered: Integers
    leaves: Integers
    rate: Floats
    paid: npt.NDArray[np.bool_]
    key: Bits

    def __len__(self) -> int:
        return len(self.first)


def make_people(
    parameters: Parameters, seed: int, *, users: int, days: int, growth_rate: float, attrition_rate: float
) -> People:
    """Make ``users`` listeners who are there at the start, and those who join by the yearly growth rate.

    Args:
        parameters: The world.
        seed: Of the simulation.
        users: Listeners on the first day.
        days: Length of the simulation.
        growth_rate: 0.2 means a fifth more listeners after a year, compounding; 0 or more.
        attrition_rate: 0.1 means a tenth of the listeners leave within a year; 0 or more, below 1.
    """
    rng = generator(seed, 1)
    lists = words()["people"]
    growth = 1 + growth_rate
    joining = int(users * (growth ** (days * DAY / _YEAR) - 1))
    count = users + joining
    women, men = len(lists["women"]), len(lists["men"])
    is_woman = rng.random(count) < parameters.users.women
    first = np.where(is_woman, rng.integers(0, women, count), women + rng.integers(0, men, count))
    # Places are distributed like the sizes of cities: the first is about ten times as common as the fiftieth.
    metros = 1 / np.arange(5, 5 + len(lists["metros"]))
    agents = 1 / np.arange(3, 3 + len(user_agents()))
    before = (rng.random(users) * parameters.users.registered_days + 1 / 24) * -DAY
    if joining:
        # The i-th newcomer joins when the growth curve passes users + i.
        when = np.log((users + np.arange(joining) + rng.random(joining)) / users) / np.log(growth) * _YEAR
    else:
        when = np.empty(0)
    registered = np.concatenate([before, when]).astype(np.int64)
    leaves = np.full(count, NEVER)
    if attrition_rate > 0:
        stay = rng.exponential(_YEAR / -np.log1p(-attrition_rate), count)
        leaves = (np.maximum(registered, 0) + np.minimum(stay, float(NEVER // 2))).astype(np.int64)
    spread = parameters.sessions.spread
    rate = parameters.sessions.per_day * np.exp(spread * rng.standard_normal(count) - spread**2 / 2)
    return People(
        first=first.astype(np.int16),
        family=rng.integers(0, len(lists["family"]), count).astype(np.int16),
        metro=_choose(rng, metros, count),
        agent=_choose(rng, agents, count) * np.int16(2)
        + (rng.random(count) < parameters.users.quoted_agents).astype(np.int16),
        registered=registered,
        leaves=leaves,
        rate=np.maximum(rate, 1e-6),
        paid=rng.random(count) < parameters.users.paid,
        key=rng.integers(0, 2**64, count, dtype=np.uint64),
    )


def _choose(rng: np.random.Generator, weights: Any, count: int) -> Choice:
    edges = np.cumsum(weights / weights.sum())[:-1]
    return np.searchsorted(edges, rng.random(count), side="right").astype(np.int16)
