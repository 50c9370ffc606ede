from __future__ import annotations

import tomllib

import numpy as np
import pytest

from sparkify.errors import ConfigError
from sparkify.simulator.config import default_text, load_parameters
from sparkify.simulator.draws import TABLE
from sparkify.simulator.machine import compile_machine


def test_the_shown_defaults_are_the_defaults(tmp_path):
    path = tmp_path / "shown.toml"
    path.write_text(default_text())
    assert load_parameters(path) == load_parameters()
    path.write_text(default_text(churn=True))
    assert load_parameters(path, churn=True) == load_parameters(churn=True)


def test_a_file_changes_only_what_it_names(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[sessions]\nper_day = 2\n[transitions.free]\n"Home" = { "NextSong" = 1 }\n')
    mine, ours = load_parameters(path), load_parameters()
    assert mine.sessions.per_day == 2.0
    assert mine.transitions["free"]["Home"] == {"NextSong": 1}
    assert mine.transitions["free"]["NextSong"] == ours.transitions["free"]["NextSong"]
    assert mine.songs == ours.songs


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[sessions]\nper_day = -1", "sessions.per_day"),
        ("[sessions]\nper_day = nan", "sessions.per_day"),
        ("[sessions]\nper_day = 'many'", "sessions.per_day"),
        ("[sessions]\nhours = [1, 2]", "sessions.hours"),
        ("[sessions]\nholidays = ['Christmas']", "sessions.holidays"),
        ("[sessions]\nper_week = 1", "sessions.per_week"),
        ("[session]\nper_day = 1", "session"),
        ("sessions = 3", "sessions"),
        ("[users]\npaid = 2", "users.paid"),
        ("[songs]\nothers = 1.5", "songs.others"),
        ("[songs]\nlengths = [300, 200]", "songs.lengths"),
        ("[dirt]\nbad_lines = 0.9", "dirt.bad_lines"),
        ("[pages]\n'Home' = { method = 'GET' }", 'pages."Home"'),
        ("[pages]\n'Home' = { method = 'GET', status = 20 }", 'pages."Home"'),
        ("[transitions.free]\n'Home' = { 'NextSong' = 0.8, 'Help' = 0.3 }", 'transitions.free."Home"'),
        ("[transitions.free]\n'Home' = { 'NextSong' = -0.1 }", 'transitions.free."Home"'),
        ("[transitions.free]\n'Home' = { 'Cart' = 0.1 }", 'transitions.free."Home"'),
        ("[transitions.free]\n'Cart' = { 'Home' = 0.1 }", 'transitions.free."Cart"'),
        ("[transitions.gold]\n'Home' = { 'Home' = 0.1 }", "transitions.gold"),
        ("[transitions.out]\n'Home' = { 'NextSong' = 0.1 }", 'transitions.out."Home"'),
        ("[first.free]\n'Home' = 0.5", "first.free"),
        ("[first.free]\n'out NextSong' = 1.0", "first.free"),
        ("[sessions\n", "TOML"),
        ("[churn]\nbase = 0.1", "churn"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_by_name(tmp_path, text, named):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_parameters(path)
    assert named in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[churn]\nbase = 2", "churn.base"),
        ("[churn]\nmood = 2", "churn.mood"),
        ("[reasons]\n'Cart' = 1", 'reasons."Cart"'),
        ("[reasons]\n'Help' = 'bad'", 'reasons."Help"'),
        ("[reasons]\n'Help' = 11", 'reasons."Help"'),
    ],
)
def test_reasons_to_leave_that_make_no_sense_are_refused_by_name(tmp_path, text, named):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_parameters(path, churn=True)
    assert named in caught.value.message


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load_parameters(tmp_path / "none.toml")


def test_every_way_through_the_machine_keeps_its_probability():
    """The compiled rows, against the TOML read by itself."""
    given = tomllib.loads(default_text())
    machine = compile_machine(load_parameters())
    names = ["free", "paid", "out", "out"]
    places = machine.followers.reshape(-1, TABLE)
    found = {
        (row, int(target)): count / TABLE
        for row, followers in enumerate(places)
        for target, count in zip(*np.unique(followers, return_counts=True), strict=True)
    }
    for row, state in enumerate(machine.states):
        expected = given["transitions"][names[state.group]].get(state.page, {})
        total = 0.0
        for page, chance in expected.items():
            reached = [
                value
                for (r, t), value in found.items()
                if r == row and t < machine.begin and machine.states[t].page == page
            ]
            assert sum(reached) == pytest.approx(chance, abs=1 / TABLE)
            total += chance
        assert found.get((row, machine.end), 0.0) == pytest.approx(1 - total, abs=1 / TABLE)


def test_logging_in_and_out_and_changing_level_lead_to_the_right_group():
    machine = compile_machine(load_parameters())
    places = machine.followers.reshape(-1, TABLE)[: machine.begin]
    for row, target in ((row, target) for row, found in enumerate(places) for target in np.unique(found)):
        if target >= machine.begin:
            continue
        one, other = machine.states[row], machine.states[target]
        if one.page == "Logout":
            assert (other.auth, other.level) == ("Logged Out", one.level)
        elif one.page == "Login":
            assert (other.auth, other.level) == ("Logged In", one.level)
        elif one.page in ("Submit Upgrade", "Submit Downgrade"):
            assert other.level == ("paid" if one.page == "Submit Upgrade" else "free")
        else:
            assert other.group == one.group
