"""Which tests are fast, and how much a test of many examples does.

`make test` runs what is not marked ``thorough``, `make test-all` the rest too. A mark is on a module
(``pytestmark``), on a test, on a folder (``tests/conftest.py``), or on all but a share of a sweep
(:func:`sweep`). Of every promise something is fast.

Tests that draw examples run in both, fewer of them in the fast one. ``HYPOTHESIS_PROFILE`` says how many:
``fast`` (the default), ``thorough`` (`make test-all`), or ``release``, which takes hours.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import settings

PROFILES = ("fast", "thorough", "release")
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "fast")
assert PROFILE in PROFILES, f"HYPOTHESIS_PROFILE is {PROFILE}, not one of {', '.join(PROFILES)}"


def by_profile(*numbers: int) -> int:
    """Return the number for this profile, of one each for fast, thorough and release."""
    return dict(zip(PROFILES, numbers, strict=True))[PROFILE]


def sweep(values: Iterable[Any], every: int) -> list[Any]:
    """Return a sweep's parameters: each ``every``-th is fast, from the first on; the others are thorough.

    A tuple is the values of several arguments.
    """
    values = list(values)
    for number, value in enumerate(values):
        if number % every:
            several = value if isinstance(value, tuple) else (value,)
            values[number] = pytest.param(*several, marks=pytest.mark.thorough)
    return values


# Hypothesis's own seeds (CI has fixed ones) stay; a test may say another number. No example is timed: other
# work on the machine would fail it.
settings.register_profile("sparkify", settings(max_examples=by_profile(20, 100, 1000), deadline=None))
settings.load_profile("sparkify")
