"""What is taken out again leaves the tables as if it had never been there: retract, retract --back, undo."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkify.cli.app import run
from tests.contents import hash_tables, read_tables
from tests.loading import etl
from tests.oracle import expect
from tests.pipeline.test_properties import EVENT_RECORDS, SONG_RECORDS, assert_tables
from tests.tiers import by_profile
from tests.warehouses import ENGINES, Place, Warehouses, options_of, rows

_NAMES = ("log_data/1.json", "log_data/2/2.json", "log_data/3.json", "song_data/A/1.json", "song_data/2.json")

_FOURTH = "log_data/4/4.json"
# Globs, and which of these names they match.
_GLOBS = {
    "log_data/*.json": {_NAMES[0], _NAMES[2]},
    "log_data/**": {*_NAMES[:3], _FOURTH},
    "**/[!3-9].json": {_NAMES[0], _NAMES[1], _NAMES[3], _NAMES[4]},
    "*_data/?/*": {_NAMES[1], _NAMES[3], _FOURTH},
}

Records = Sequence[dict[str, Any]]


@dataclass
class Warehouse:
    """The files of a lake, and which the warehouse over them must hold."""

    folder: Path
    place: Place
    present: dict[str, tuple[int, Records]] = field(default_factory=dict)
    loaded: dict[str, tuple[int, Records]] = field(default_factory=dict)
    retracted: dict[str, int] = field(default_factory=dict)
    loaded_by: dict[str, int] = field(default_factory=dict)
    runs: int = 0
    writes: int = 0
    took_out: set[int] = field(default_factory=set)

    def write(self, name: str, records: Records) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self.writes += 1
        # Blanks at its end: no two files have the same content, of which one would be a copy.
        text = "\n".join(json.dumps(record) for record in records) + " " * self.writes + "\n"
        path.write_text(text, encoding="utf-8")
        os.utime(path, (self.writes, self.writes))
        self.present[name] = (self.writes, records)

    def remove(self, name: str) -> None:
        if self.present.pop(name, None):
            (self.folder / name).unlink()

    def load(self, *options: str) -> None:
        folders = [
            self.folder / kind if any(name.startswith(kind) for name in self.present) else None
            for kind in ("log_data", "song_data")
        ]
        if not any(folders):
            return
        pending = {
            name: version
            for name, version in self.present.items()
            if version != self.loaded.get(name) and version[0] != self.retracted.get(name)
        }
        after = self.loaded | pending
        publishes = self.publishes(after, of=after if "--full-refresh" in options else pending)
        assert etl(self.place, folders[0], folders[1], *options) == (0 if publishes else 3)
        if pending or "--full-refresh" in options:
            self.runs += 1
        if publishes:
            self.loaded |= pending
            self.loaded_by |= dict.fromkeys(pending, self.runs)
            self.retracted = {k: v for k, v in self.retracted.items() if k not in pending}

    def retract(self, name: str) -> None:
        matched = _GLOBS.get(name, {name})
        names = sorted(matched & self.loaded.keys())
        known = matched & (self.loaded.keys() | self.retracted.keys())
        self._take_out(names, ["retract", str(self.folder / name)], keep=True, if_none=0 if known else 1)

    def undo(self, number: int) -> None:
        files = [name for name in self.loaded if self.loaded_by[name] == number]
        loads = number <= self.runs and number not in self.took_out
        self._take_out(files, ["undo", str(number)], keep=False, if_none=0 if loads else 1)

    def _take_out(self, names: Sequence[str], command: Sequence[str], *, keep: bool, if_none: int) -> None:
        left = {name: version for name, version in self.loaded.items() if name not in names}
        code = run([*command, "--yes", *options_of(self.place)])
        assert code == (0 if names else if_none), command
        if names and code == 0:
            self.runs += 1
            self.took_out.add(self.runs)
            if keep:
                self.retracted |= {name: self.loaded[name][0] for name in names}
            self.loaded = left

    def put_back(self, name: str) -> None:
        matched = _GLOBS.get(name, {name})
        code = run(["retract", "--back", str(self.folder / name), "--yes", *options_of(self.place)])
        names = matched & self.retracted.keys()
        known = 0 if name in _GLOBS else 1  # of what is named a person is told that it is not retracted
        assert code == (0 if names else known if matched & self.loaded.keys() else 1)
        for each in names:
            del self.retracted[each]
        if names:
            self.runs += 1
            self.took_out.add(self.runs)

    @staticmethod
    def publishes(files: dict[str, tuple[int, Records]], *, of: dict[str, tuple[int, Records]]) -> bool:
        """A load of logs that leaves a warehouse of events and no play fails a check."""
        plays = any(record["page"].rstrip() == "NextSong" for record in _records(files, "log_data"))
        loads = any(name.startswith("log_data") for name in of)
        return plays or not loads or not any(_records(files, "log_data"))

    def verify(self) -> None:
        wanted = expect(_records(self.loaded, "log_data"), _records(self.loaded, "song_data"))
        assert_tables(self.place, wanted)


def _records(files: dict[str, tuple[int, Records]], kind: str) -> Iterator[dict[str, Any]]:
    for name, (_, records) in files.items():
        if name.startswith(kind):
            yield from records


@st.composite
def _steps(draw: st.DrawFn) -> list[tuple[str, Any, Any]]:
    events = st.sampled_from(draw(st.lists(EVENT_RECORDS, min_size=1, max_size=6)))
    songs = st.sampled_from(draw(st.lists(SONG_RECORDS, min_size=1, max_size=4)))
    names = st.sampled_from(_NAMES)
    contents = names.flatmap(
        lambda name: st.tuples(
            st.just(name), st.lists(events if name.startswith("log") else songs, min_size=1, max_size=4)
        )
    )
    writes = contents.map(lambda content: ("write", *content))
    numbers = st.integers(1, 6)
    globs = st.sampled_from(list(_GLOBS))
    first = draw(st.lists(writes, min_size=2, max_size=5))
    steps = st.one_of(
        writes,
        st.tuples(st.just("load"), st.sampled_from([(), (), ("--full-refresh",)]), st.none()),
        st.tuples(st.just("load"), st.just(()), st.none()),
        st.tuples(st.sampled_from(["retract", "retract", "put_back", "remove"]), names, st.none()),
        st.tuples(st.sampled_from(["retract", "put_back"]), globs, st.none()),
        st.tuples(st.just("undo"), numbers, st.none()),
    )
    return [*first, ("load", (), None), *draw(st.lists(steps, min_size=2, max_size=8))]


@settings(max_examples=by_profile(5, 15, 600), deadline=None, suppress_health_check=list(HealthCheck))
@given(_steps())
def test_what_is_left_is_what_a_fresh_load_of_the_remaining_files_gives(
    warehouses: Warehouses, steps: list[tuple[str, Any, Any]]
):
    hold(warehouses, "duckdb", steps)


@settings(max_examples=by_profile(1, 4, 30), deadline=None, suppress_health_check=list(HealthCheck))
@given(_steps())
def test_on_redshift_too(warehouses: Warehouses, steps: list[tuple[str, Any, Any]]):
    hold(warehouses, "redshift", steps)


def hold(warehouses: Warehouses, engine: str, steps: list[tuple[str, Any, Any]]) -> None:
    """Take the steps; after each, and at the end against a fresh load, compare."""
    with (
        tempfile.TemporaryDirectory(prefix="sparkify-takeout-") as folder,
        warehouses.temporary(engine, Path(folder) / "place") as place,
        warehouses.temporary(engine, Path(folder) / "other") as other,
    ):
        warehouse = Warehouse(Path(folder) / "lake", place)
        for action, what, records in steps:
            match action:
                case "write":
                    warehouse.write(what, records)
                case "load":
                    warehouse.load(*what)
                case _ if warehouse.runs == 0:
                    continue  # there is no warehouse to take anything out of
                case _:
                    getattr(warehouse, action)(what)
            if action != "write":
                warehouse.verify()
        if not warehouse.loaded:
            return
        if not Warehouse.publishes(warehouse.loaded, of=warehouse.loaded):
            return  # what had plays was taken out: a fresh load would be refused
        found = hash_tables(place)
        fresh = Warehouse(Path(folder) / "fresh", other)
        for name, (_, left) in warehouse.loaded.items():
            fresh.write(name, left)
        fresh.load()
        assert hash_tables(other) == found
        ledger = rows(place, "SELECT uri FROM etl.files WHERE state = 'loaded'")
        assert sorted(ledger) == sorted((str(warehouse.folder / name),) for name in warehouse.loaded)


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_left_of_a_warehouse_that_is_taken_out_whole(
    engine: str, warehouses: Warehouses, tmp_path: Path
):
    warehouse = Warehouse(tmp_path, warehouses.new(engine, tmp_path / "place"))
    plays = [{"itemInSession": 0, "page": "NextSong", "sessionId": 1, "ts": 1541030400000, "userId": "1"}]
    warehouse.write("log_data/1.json", plays)
    warehouse.write("song_data/1.json", [{"artist_id": "AR1", "song_id": "SO1", "artist_name": "A"}])
    warehouse.load()
    assert read_tables(warehouse.place)["songplays"].total() == 1
    warehouse.undo(1)
    assert all(not rows for rows in read_tables(warehouse.place).values())


@pytest.mark.parametrize("engine", ENGINES)
def test_people_are_as_of_the_latest_event_that_is_left_however_far_back(
    engine: str, warehouses: Warehouses, tmp_path: Path
):
    warehouse = Warehouse(tmp_path, warehouses.new(engine, tmp_path / "place"))
    latest, day = 1541030400000, 86_400_000
    # Around the ends of the stretches in which they are looked for.
    ages = [days * day + ms for days in (1, 8, 64) for ms in (-1, 0, 1)] + [0, 900 * day]

    def play(user: int, age: int, level: str, item: int = 0) -> dict[str, Any]:
        who = {"userId": str(user), "sessionId": 1, "level": level}
        return {"page": "NextSong", "ts": latest - age, "itemInSession": item, **who}

    people = list(enumerate(ages))
    warehouse.write("log_data/1.json", [play(user, age, "free") for user, age in people])
    warehouse.write("log_data/3.json", [play(99, 100 * day, "free")])
    # The latest event of one lies before those of the others, and one has no other.
    gone = [play(user, 0, "paid", item=1) for user, _ in people]
    warehouse.write("log_data/2/2.json", [*gone, play(99, 40 * day, "paid"), play(98, 0, "paid")])
    warehouse.load()
    warehouse.retract("log_data/2/2.json")
    warehouse.verify()


@pytest.mark.thorough
@pytest.mark.parametrize("engine", ENGINES)
def test_days_that_a_glob_matches_are_taken_out_as_if_they_had_never_been(
    engine: str, warehouses: Warehouses, tmp_path: Path
):
    steps: list[tuple[str, Any, Any]] = []
    for day in range(1, 5):
        at = 1541030400000 + day * 86_400_000
        events = [
            {"page": "NextSong", "ts": at + item, "itemInSession": item, "sessionId": 1, "userId": str(user)}
            for item, user in enumerate((1, 2, day))
        ]
        # Each by a run of its own, but for the second, which the third's loads.
        steps += [
            ("write", (*_NAMES[:3], _FOURTH)[day - 1], events),
            *([("load", (), None)] if day != 2 else []),
        ]
    steps += [("retract", "log_data/*.json", None), ("load", (), None), ("put_back", "log_data/**", None)]
    hold(warehouses, engine, [*steps, ("load", (), None), ("retract", "*_data/?/*", None)])
