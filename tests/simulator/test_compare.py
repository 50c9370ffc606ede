from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.errors import SourceError
from sparkify.lake.folder import Folder
from sparkify.simulator.compare import END, kolmogorov_smirnov, profile, read_profile, total_variation

_samples = st.lists(st.integers(0, 20).map(float), min_size=1, max_size=30)


@given(_samples, _samples)
def test_kolmogorov_smirnov_is_the_largest_difference_of_the_distribution_functions(one, other):
    def below(sample, point):
        return sum(value <= point for value in sample) / len(sample)

    expected = max(abs(below(one, x) - below(other, x)) for x in [*one, *other])
    assert abs(kolmogorov_smirnov(np.array(one), np.array(other)) - expected) < 1e-12


def test_no_sample_is_as_far_as_can_be():
    assert kolmogorov_smirnov(np.array([]), np.array([1.0])) == 1.0


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9), min_size=1),
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9), min_size=1),
)
def test_total_variation_is_the_most_any_set_of_outcomes_differs(one, other):
    from itertools import chain, combinations

    def share(table, outcomes):
        return sum(table.get(key, 0) for key in outcomes) / sum(table.values())

    sets = chain.from_iterable(combinations("abcd", size) for size in range(5))
    expected = max(abs(share(one, outcomes) - share(other, outcomes)) for outcomes in sets)
    assert abs(total_variation(one, other) - expected) < 1e-12


def test_a_profile_counts_in_any_order():
    events = [
        {"ts": 1000, "sessionId": 1, "itemInSession": 0, "page": "Home", "length": None, "level": "free"},
        {"ts": 2000, "sessionId": 1, "itemInSession": 1, "page": "NextSong", "length": 2.5, "level": "free"},
        {"ts": 4000, "sessionId": 1, "itemInSession": 2, "page": "Logout", "length": None, "level": "paid"},
    ]
    found = profile({"userId": "7"} | event for event in reversed(events))
    assert found.transitions == {("Home", "NextSong"): 1, ("NextSong", "Logout"): 1, ("Logout", END): 1}
    assert found.song_gaps.tolist() == [-0.5]
    assert found.session_lengths.tolist() == [3]
    assert found.plays.tolist() == [1]
    assert found.paid == 1 / 3


@pytest.mark.parametrize("line", ['{"song_id": "SO1"}', "no JSON", "[1]"])
def test_what_is_no_log_is_named(tmp_path: Path, line: str):
    (tmp_path / "1.json").write_text(line + "\n")
    with pytest.raises(SourceError, match=r"1\.json, line 1"):
        read_profile(Folder(str(tmp_path)))
