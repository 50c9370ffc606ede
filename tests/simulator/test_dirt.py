"""`--dirty`: the truth held against the files by a reader of its own, and by the real load."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from sparkify.cli.app import run
from sparkify.simulator.workers import simulate
from tests.simulator.files import tree

REASONS = {
    *("malformed_json", "truncated_file", "wrong_type", "missing_field", "not_an_object", "out_of_range"),
    *("too_long", "invalid_utf8", "event_time_out_of_range", "play_without_user"),
}


@pytest.fixture(scope="module")
def dirty(make_plan, aws, tmp_path_factory):
    out = tmp_path_factory.mktemp("dirty")
    plan = make_plan(users=250, days=30, songs=60, dirty=True, seed=5)
    simulate(plan, str(out), aws)
    return out, json.loads((out / "truth.json").read_bytes())


def _records(data: bytes) -> dict[int, Any]:
    """Return each record by its line; what does not parse is None."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    lines = data.split(b"\n")
    if lines[0] == b"[":
        return {n: json.loads(line.rstrip(b",")) for n, line in enumerate(lines[1:-1], 2)}
    if lines[0] == b"{":
        starts = [n for n, line in enumerate(lines) if line == b"{"]
        ends = [*starts[1:], len(lines)]
        return {
            first + 1: json.loads(b"\n".join(lines[first:last]))
            for first, last in zip(starts, ends, strict=True)
        }
    found: dict[int, Any] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found[number] = json.loads(line)
            except ValueError:
                found[number] = None
    return found


def _identity(event: dict[str, Any]) -> tuple[Any, ...]:
    return event["userId"], event["sessionId"], event["itemInSession"], event["ts"]


def test_the_truth_is_what_the_files_hold(dirty):
    out, truth = dirty
    files = {name: data for name, data in tree(out).items() if name.startswith("log_data")}
    assert set(files) == {key for key, entry in truth["files"].items() if entry["kind"] == "events"}
    accepted: dict[tuple[str, int], dict[str, Any]] = {}
    for name, data in files.items():
        entry = truth["files"][name]
        records = _records(data)
        rejected = {reject["line"] for reject in entry["rejected"]}
        assert rejected <= set(records)
        assert len(records) == entry["read"] == entry["accepted"] + len(rejected)
        good = {number: record for number, record in records.items() if number not in rejected}
        assert all(isinstance(record, dict) for record in good.values())
        accepted |= {(name, number): record for number, record in good.items()}
        unknown = Counter(key for r in good.values() for key in r if key in ("experiment", "clientVersion"))
        assert unknown == Counter(entry["unknown_fields"])
        days = {n: datetime.fromtimestamp(r["ts"] / 1000, UTC).strftime("%Y-%m-%d") for n, r in good.items()}
        assert entry["late"] == [number for number, day in sorted(days.items()) if day != name[17:27]]
    totals = truth["totals"]
    plays = {_identity(event) for event in accepted.values() if event["page"] == "NextSong"}
    assert totals["staging_events"] == len(accepted)
    assert totals["songplays"] == len(plays)
    assert totals["users"] == len({event["userId"] for event in accepted.values()} - {""})
    first: dict[tuple[Any, ...], tuple[str, int]] = {}
    repeated = {}
    for place, event in sorted(accepted.items()):
        if first.setdefault(_identity(event), place) != place:
            repeated[place] = first[_identity(event)]
    told = {
        (name, duplicate["line"]): (duplicate["of"]["file"], duplicate["of"]["line"])
        for name, entry in truth["files"].items()
        for duplicate in entry["duplicates"]
    }
    assert told == repeated
    assert totals["duplicates"] == len(repeated) > 0


def test_everything_that_goes_wrong_is_there(dirty):
    _, truth = dirty
    assert set(truth["totals"]["rejected"]) == REASONS
    forms = Counter(entry["form"] for entry in truth["files"].values())
    assert set(forms) >= {"plain", "bom", "crlf", "array", "truncated", "pretty", "empty"}
    assert any(entry["late"] for entry in truth["files"].values())
    elsewhere = [d["of"]["file"] != name for name, e in truth["files"].items() for d in e["duplicates"]]
    assert set(elsewhere) == {True, False}


def test_a_clean_world_lies_under_the_dirt(dirty, make_plan, aws, tmp_path):
    """Dirt only adds and delays: the plays are those of the same plan without it."""
    _, truth = dirty
    simulate(make_plan(users=250, days=30, songs=60, seed=5), str(tmp_path), aws)
    lines = [line for data in tree(tmp_path / "log_data").values() for line in data.split(b"\n")]
    assert truth["totals"]["songplays"] == sum(b'"page":"NextSong"' in line for line in lines)


def test_the_load_comes_to_exactly_the_truth(dirty, tmp_path):
    out, truth = dirty
    database = str(tmp_path / "w.duckdb")
    where = ["--log-data", f"{out}/log_data", "--song-data", f"{out}/song_data", "--database", database]
    assert run(["etl", *where, "--max-rejects", "50%", "--lenient"]) == 0
    with duckdb.connect(database, read_only=True) as connection:
        files = connection.execute("SELECT uri, rows_read, rows_loaded FROM etl.files").fetchall()
        rejects = connection.execute("SELECT uri, line, reason FROM etl.rejects").fetchall()
        for table in ("staging_events", "songplays", "users", "staging_songs", "songs"):
            found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert found == (truth["totals"][table],), table
    prefix = f"{out}/"
    assert {uri.removeprefix(prefix): (read, loaded) for uri, read, loaded in files} == {
        name: (entry["read"], entry["accepted"]) for name, entry in truth["files"].items()
    }
    assert {(uri.removeprefix(prefix), line, reason) for uri, line, reason in rejects} == {
        (name, reject["line"], reject["reason"])
        for name, entry in truth["files"].items()
        for reject in entry["rejected"]
    }


def test_dirt_is_deterministic_and_without_it_there_is_no_truth(dirty, make_plan, aws, tmp_path):
    out, _ = dirty
    plan = make_plan(users=250, days=30, songs=60, dirty=True, seed=5)
    simulate(plan, str(tmp_path / "again"), aws, workers=2)
    assert tree(tmp_path / "again") == tree(out)
    simulate(replace(plan, days=1, dirty=False), str(tmp_path / "clean"), aws)
    assert not (tmp_path / "clean" / "truth.json").exists()


def test_rates_of_zero_are_clean_files(make_plan, aws, tmp_path):
    plan = make_plan()
    rates = replace(plan.parameters.dirt, **dict.fromkeys(plan.parameters.dirt.__slots__, 0.0))
    parameters = replace(plan.parameters, dirt=rates)
    simulate(plan, str(tmp_path / "clean"), aws)
    simulate(replace(plan, parameters=parameters, dirty=True), str(tmp_path / "dirty"), aws)
    files = tree(tmp_path / "dirty")
    truth = json.loads(files.pop("truth.json"))
    assert files == tree(tmp_path / "clean")
    assert truth["totals"]["rejected"] == {}


def test_dirty_files_may_be_compressed(make_plan, aws, tmp_path):
    for compression in ("none", "gzip"):
        simulate(make_plan(dirty=True, compression=compression), str(tmp_path / compression), aws)
    plain, packed = tree(tmp_path / "none"), tree(tmp_path / "gzip")
    assert {n.removesuffix(".gz"): gzip.decompress(d) for n, d in packed.items() if n.endswith(".gz")} == {
        name: data for name, data in plain.items() if name.startswith("log_data")
    }
