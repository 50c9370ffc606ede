"""`--churn`: who leaves and why, counted anew from the logs alone; and nothing of it without the option."""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections import defaultdict
from typing import Any

import duckdb
import pytest

from sparkify.cli.app import run
from sparkify.simulator.config import default_text, load_parameters
from sparkify.simulator.workers import simulate
from tests.simulator.files import log_lines, tree

DAY = 86_400_000
NEW_PAGES = {
    *("Thumbs Up", "Thumbs Down", "Add to Playlist", "Add Friend", "Roll Advert"),
    *("Register", "Submit Registration", "Cancel", "Cancellation Confirmation"),
}


@pytest.fixture(scope="module")
def churn_plan(make_plan):
    return lambda **changes: make_plan(parameters=load_parameters(churn=True), **changes)


@pytest.fixture(scope="module")
def month(churn_plan, aws, tmp_path_factory):
    """A month with newcomers: its folder, its events in order, its truth."""
    out = tmp_path_factory.mktemp("churn")
    simulate(churn_plan(users=400, days=30, growth_rate=3.0, seed=3), str(out), aws, workers=1)
    events = [event for _, day in sorted(log_lines(out).items()) for event in day]
    return out, events, json.loads((out / "truth.json").read_bytes())


def test_without_it_the_bytes_are_those_of_before(make_plan, aws, tmp_path):
    """Of a hash taken before there was such a thing."""
    simulate(make_plan(users=100, days=30, songs=500), str(tmp_path), aws)
    digest = hashlib.sha256()
    for name, data in sorted(tree(tmp_path).items()):
        digest.update(name.encode() + data)
    assert digest.hexdigest()[:16] == "c1e9d840ab75cd3b"


def test_the_truth_says_who_left_and_they_never_come_back(month):
    _, events, truth = month
    left = {e["userId"]: e["ts"] for e in events if e["page"] == "Cancellation Confirmation"}
    told = {user: entry["left"] for user, entry in truth["people"].items()}
    assert {user: at for user, at in told.items() if at is not None} == left
    assert truth["totals"] == {"people": len(told), "left": len(left)}
    assert len(left) > 20
    assert [e for e in events if e["userId"] in left and e["ts"] > left[e["userId"]]] == []
    cancelled = [(e["userId"], e["ts"]) for e in events if e["page"] == "Cancel"]
    assert [user for user, _ in cancelled] == [user for user, _ in sorted(left.items(), key=lambda x: x[1])]


def test_the_hazard_is_what_the_logs_give_reason_for(month):
    """Counted from the pages each listener saw; only how often somebody listens is not in the logs."""
    _, events, truth = month
    settings = tomllib.loads(default_text(churn=True))
    churn, reasons = settings["churn"], settings["reasons"]
    sessions: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        sessions[event["sessionId"]].append(event)
    by_user: dict[str, list[list[dict[str, Any]]]] = defaultdict(list)
    for number, seen in sorted(sessions.items(), key=lambda item: item[1][0]["ts"]):
        by_user[str((number - 1) % len(truth["people"]) + 1)].append(seen)
    checked = 0
    for user, entry in truth["people"].items():
        first = entry["hazard"][0][1]
        mood = 0.0
        for seen, (at, hazard) in zip(by_user[user], entry["hazard"][1:], strict=False):
            before = [e for e in seen if e["ts"] <= at]
            assert before[-1]["ts"] == at
            assert {e["page"] for e in seen if e["ts"] > at} <= {"Cancel", "Cancellation Confirmation"}
            mood = churn["memory"] * mood + sum(reasons.get(e["page"], 0) for e in before if e["userId"])
            assert hazard == pytest.approx(min(first * math.exp(mood), churn["most"]), rel=1e-4, abs=2e-9)
            checked += 1
        assert len(by_user[user]) - (len(entry["hazard"]) - 1) in (0, 1)  # the last may not be over
    assert checked > 1000


def test_as_many_leave_as_the_hazards_make_expect(month):
    _, _, truth = month
    expected = 0.0
    for entry in truth["people"].values():
        for (before, _), (at, hazard) in zip(entry["hazard"], entry["hazard"][1:], strict=False):
            expected += 1 - math.exp(-hazard * (at - before) / DAY)
    assert abs(truth["totals"]["left"] - expected) < 4 * math.sqrt(expected)


def test_newcomers_register_as_guests(month):
    _, events, _ = month
    assert {e["page"] for e in events} >= NEW_PAGES
    registered = [e["ts"] for e in events if e["page"] == "Submit Registration"]
    assert len(registered) > 30
    new = {e["userId"]: e["registration"] for e in events if e["registration"] in set(registered)}
    assert len(new) == len(registered)
    for event in events:
        guest = event["page"] in ("Register", "Submit Registration")
        assert (event["auth"] == "Guest") == guest
        if guest:
            assert (event["userId"], event["level"], event["firstName"]) == ("", "free", None)
    assert {e["auth"] for e in events if e["page"] == "Cancellation Confirmation"} == {"Cancelled"}


def test_the_number_of_workers_changes_nothing(churn_plan, aws, tmp_path):
    plan = churn_plan(users=300, days=7)
    for workers in (1, 2):
        simulate(plan, str(tmp_path / str(workers)), aws, workers=workers)
    assert tree(tmp_path / "1") == tree(tmp_path / "2")


def test_such_logs_load_exactly_dirt_included(churn_plan, aws, tmp_path):
    plan = churn_plan(users=150, days=9, growth_rate=3.0, dirty=True, seed=9)
    simulate(plan, str(tmp_path / "lake"), aws)
    truth = json.loads((tmp_path / "lake" / "truth.json").read_bytes())
    database = str(tmp_path / "w.duckdb")
    where = ["--log-data", f"{tmp_path}/lake/log_data", "--song-data", f"{tmp_path}/lake/song_data"]
    assert run(["etl", *where, "--database", database, "--max-rejects", "50%", "--lenient"]) == 0
    with duckdb.connect(database, read_only=True) as connection:
        for table in ("staging_events", "songplays", "users", "staging_songs", "songs"):
            found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert found == (truth["totals"][table],), table
        left = connection.execute(
            "SELECT user_id, ts FROM analytics.events WHERE page = 'Cancellation Confirmation'"
        ).fetchall()
    assert dict(left) == {
        user: entry["left"] for user, entry in truth["people"].items() if entry["left"] is not None
    }
    assert len(left) == truth["totals"]["left"] > 0
