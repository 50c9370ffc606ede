"""The simulated logs beside the mission's own, with fixed seeds."""

from __future__ import annotations

import pytest

from sparkify.lake.stores import open_store
from sparkify.simulator.compare import distances, read_profile
from sparkify.simulator.workers import simulate
from tests.tiers import sweep


@pytest.mark.parametrize("seed", sweep([1, 2, 3], 3))
def test_the_simulation_is_like_the_real_logs(make_plan, aws, tmp_path, real_data, seed):
    simulate(make_plan(users=1500, days=30, seed=seed, songs=500), str(tmp_path), aws)
    ours = read_profile(open_store(str(tmp_path / "log_data"), aws))
    real = read_profile(open_store(str(real_data / "log_data"), aws))
    found = {d.name: d for d in distances(ours, real)}
    assert {d.name: d.value for d in found.values() if not d.within} == {}
    # The promise of the first five, in numbers that a change of `distances` cannot loosen.
    assert found["page mix"].value <= 0.02
    assert found["page to page"].value <= 0.05
    for name in ("events per session", "gap after a song", "song length"):
        assert found[name].value <= 0.10
