"""However files arrive, the tables are those of the oracle: any order, split, duplicate, replacement.

Small pools of values make collisions common: the same event in two files or twice in one, ties, several
credits for an artist, several records for a song, plays before their song, texts that differ in blanks.
"""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkify.cli.app import run
from tests.contents import hash_tables, read_tables
from tests.loading import etl
from tests.oracle import Tables, expect
from tests.records import TS, play, song
from tests.tiers import by_profile, sweep
from tests.warehouses import ENGINES, Place, Warehouses, options_of, rows

# Values. Unknown ones come in both ways the sources have, NULL and the empty string.
_TITLES = st.sampled_from(["Zoë", "Zoë", "Zoë", "Zoë ", "zoë", " Zoë", "Zoë\u00a0", "", None])
_NAMES = st.sampled_from(["A", "A", "A", "A ", "A feat. B", "B", "ÄÄ", "", None])
_LENGTHS = st.sampled_from([None, -1.0, 0.0, 100.0, 100.0005, 100.002, 101.0, 102.0])
_PLACES = st.sampled_from([None, "", "Québec", "Québec ", "London"])
_DEGREES = st.sampled_from([None, 0.0, -1.5, 2.25])
_SHORT = st.sampled_from([None, "", " ", "x", "x ", "y"])
# 2018-11-01 and a millisecond on; the last and first moment of a year and a century; the end of a month.
_TIMES = st.sampled_from(
    [1541030400000, 1541030400000, 1541030400001, 1546300799999, 1546300800000, 946684800000, 1543622399999]
)

EVENT_RECORDS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "artist": _NAMES,
        "auth": st.sampled_from(["Logged In", "Logged Out"]),
        "firstName": _SHORT,
        "gender": _SHORT,
        "itemInSession": st.sampled_from([0, 0, 1]),
        "lastName": _SHORT,
        "length": _LENGTHS,
        "level": st.sampled_from(["free", "free ", "paid", "", None]),
        "location": _PLACES,
        "method": st.sampled_from(["GET", "PUT"]),
        "page": st.sampled_from(["NextSong", "NextSong", "NextSong", "NextSong ", "Home", "nextsong"]),
        "registration": st.sampled_from([None, 1540919166796.0, 1.5]),
        "sessionId": st.sampled_from([1, 1, 1, 2]),
        "song": _TITLES,
        "status": st.sampled_from([200, 307, None]),
        "ts": _TIMES,
        "userAgent": _SHORT,
        "userId": st.sampled_from(["1", "1", "1 ", "10", "é", ""]),
    }
).filter(lambda record: str(record["page"]).rstrip() != "NextSong" or record["userId"] != "")

SONG_RECORDS = st.fixed_dictionaries(
    {
        "num_songs": st.sampled_from([1, None]),
        "artist_id": st.sampled_from(["AR1", "AR2", "AR2 ", "AR3"]),
        "artist_latitude": _DEGREES,
        "artist_longitude": _DEGREES,
        "artist_location": _PLACES,
        "artist_name": _NAMES,
        "song_id": st.sampled_from(["SO1", "SO1 ", "SO2", "SO3", "SO4"]),
        "title": _TITLES,
        "duration": _LENGTHS,
        "year": st.sampled_from([0, 0, None, 1999, 2005]),
    }
)

Records = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Delivery:
    """A file that is written before a run; one of the same name before it is replaced.

    ``records`` None takes the file away.
    """

    root: str
    kind: str
    name: str
    records: Records | None


@dataclass(frozen=True)
class Version:
    """What a file holds since which write."""

    write: int
    delivery: Delivery


@dataclass(frozen=True)
class Step:
    """What arrives, the run after it, and what is taken out of the warehouse after that."""

    deliveries: Sequence[Delivery]
    root: str
    full_refresh: bool = False
    one_by_one: bool = False
    take_out: str = ""


@st.composite
def _histories(draw: st.DrawFn) -> list[Step]:
    """Files made of a few records, so that each is delivered more than once."""
    events = st.sampled_from(draw(st.lists(EVENT_RECORDS, min_size=1, max_size=9)))
    songs = st.sampled_from(draw(st.lists(SONG_RECORDS, min_size=1, max_size=6)))
    roots = st.sampled_from(["a", "a", "a", "b"])
    log_names = st.sampled_from(["1.json", "2/2.json.gz", "3.json.zst", "4.jsonl"])
    song_names = st.sampled_from(["A/1.json", "A/2.json", "B/3.json"])
    log_records = st.lists(events, max_size=6) | st.none()
    song_records = st.lists(songs, max_size=4) | st.none()
    deliveries = st.builds(Delivery, roots, st.just("log_data"), log_names, log_records) | st.builds(
        Delivery, roots, st.just("song_data"), song_names, song_records
    )
    rarely = st.sampled_from([False, False, False, True])
    take_out = st.sampled_from(["", "", "", "", "retract", "undo"])
    steps = st.builds(Step, st.lists(deliveries, min_size=1, max_size=6), roots, rarely, rarely, take_out)
    return draw(st.lists(steps, min_size=1, max_size=5))


class Lake:
    """Files on disk, and which of them a warehouse that runs over them must hold."""

    def __init__(self, folder: Path, place: Place) -> None:
        self.folder = folder
        self.place = place
        self.present: dict[Path, Version] = {}
        self.loaded: dict[Path, Version] = {}
        self.retracted: dict[Path, Version] = {}
        self._writes = 0

    def deliver(self, delivery: Delivery) -> None:
        path = self.folder / delivery.root / delivery.kind / delivery.name
        if delivery.records is None:
            path.unlink(missing_ok=True)
            self.present.pop(path, None)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(delivery))
        # Two writes within the grain of the clock must still be two versions.
        self._writes += 1
        os.utime(path, (self._writes, self._writes))
        self.present[path] = Version(self._writes, delivery)

    def run(self, step: Step) -> bool:
        """Run the pipeline, hold it against the model; return whether every batch was published."""
        folders = {kind: self.folder / step.root / kind for kind in ("song_data", "log_data")}
        listed = {
            kind: sorted(path for path in self.present if path.is_relative_to(folder))
            for kind, folder in folders.items()
        }
        if not any(listed.values()):
            return True
        pending = [
            path
            for paths in listed.values()
            for path in paths
            if self.present[path] not in (self.loaded.get(path), self.retracted.get(path))
        ]
        new = {path: self.present[path] for path in pending}
        after = self.loaded | new
        publishes = _can_be_published(after, of=after if step.full_refresh else new)
        if not publishes:
            # The last batch is left out, which is the only one unless they are made one by one.
            new = dict(list(new.items())[:-1]) if step.one_by_one else {}
        self.loaded |= new
        options = [*["--full-refresh"] * step.full_refresh, *["--batch-bytes", "1"] * step.one_by_one]
        code = etl(
            self.place,
            folders["log_data"] if listed["log_data"] else None,
            folders["song_data"] if listed["song_data"] else None,
            *options,
        )
        assert code == (0 if publishes else 3)
        return publishes

    def retract(self) -> None:
        """Take one file out: it stays out until it changes."""
        if self.loaded:
            path = min(self.loaded)
            version = self.loaded[path]
            self._take_out([path], "retract", str(path))
            self.retracted[path] = version

    def undo(self) -> None:
        """Take out what the last run brought that is still in: the next run loads it again."""
        if self.loaded:
            latest = rows(
                self.place,
                "SELECT run_id, uri FROM etl.files WHERE state = 'loaded' AND run_id = "
                "(SELECT MAX(run_id) FROM etl.files WHERE state = 'loaded')",
            )
            self._take_out([Path(uri) for _, uri in latest], "undo", str(latest[0][0]))

    def _take_out(self, paths: Sequence[Path], *command: str) -> None:
        assert run([*command, "--yes", *options_of(self.place)]) == 0
        self.loaded = {path: version for path, version in self.loaded.items() if path not in paths}

    def expected(self) -> Tables:
        return expect(_records(self.loaded, "log_data"), _records(self.loaded, "song_data"))

    def rewrite(self, folder: Path, place: Place) -> Lake:
        """Return another lake with all that was loaded in one root, never loaded yet."""
        other = Lake(folder, place)
        for version in self.loaded.values():
            was = version.delivery
            other.deliver(Delivery("all", was.kind, f"{was.root}/{was.name}", was.records))
        return other


def _records(files: dict[Path, Version], kind: str) -> list[dict[str, Any]]:
    deliveries = [version.delivery for version in files.values()]
    return [record for each in deliveries if each.kind == kind for record in each.records or ()]


def _can_be_published(files: dict[Path, Version], *, of: dict[Path, Version]) -> bool:
    """A load of logs that leaves a warehouse of events and no play fails a check."""
    events = _records(files, "log_data")
    plays = any(event["page"].rstrip() == "NextSong" for event in events)
    return plays or not events or all(version.delivery.kind != "log_data" for version in of.values())


def encode(delivery: Delivery) -> bytes:
    """Write records in one of the forms the sources have; which one follows from the records."""
    records = [
        # A key that is missing means the same as null.
        {key: value for key, value in record.items() if value is not None or number % 2}
        for number, record in enumerate(delivery.records or ())
    ]
    ascii_only = len(records) % 2 == 0
    if delivery.kind == "log_data":
        text = "\n".join(json.dumps(record, ensure_ascii=ascii_only) for record in records)
        data = (text + "\n" * ascii_only).encode()
    elif len(records) == 3:
        data = json.dumps(records, ensure_ascii=ascii_only).encode()
    else:
        indent = None if len(records) == 1 else 2
        texts = [json.dumps(record, ensure_ascii=ascii_only, indent=indent) for record in records]
        data = "\n".join(texts).encode()
    if delivery.name.endswith(".gz"):
        return gzip.compress(data)
    if delivery.name.endswith(".zst"):
        return zstandard.ZstdCompressor().compress(data)
    return data


@settings(max_examples=by_profile(5, 40, 1500), deadline=None, suppress_health_check=list(HealthCheck))
@given(_histories())
def test_incremental_runs_equal_full_refresh_fresh_load_and_oracle(
    warehouses: Warehouses, history: Sequence[Step]
):
    """Every run leaves exactly what the oracle says of the files loaded so far; so do the other two ways."""
    hold(warehouses, "duckdb", history)


@settings(max_examples=by_profile(2, 5, 75), deadline=None, suppress_health_check=list(HealthCheck))
@given(_histories())
def test_on_redshift_too(warehouses: Warehouses, history: Sequence[Step]):
    hold(warehouses, "redshift", history)


def logs(name: str, *records: dict[str, Any]) -> Delivery:
    return Delivery("a", "log_data", name, records)


def songs(name: str, *records: dict[str, Any]) -> Delivery:
    return Delivery("a", "song_data", name, records)


_PLAYS = logs("1.json", play(length=100.0), play(length=109.0, ts=TS + 1), play(length=None, ts=TS + 2))
_TWO = (song(song_id="SO1", duration=110.0), song(song_id="SO2", duration=100.0))
_CREDITS = ("Artist feat. A", "Artist and B", "ArtistZ", "ArtistY", "Artist feat. A ")


@pytest.mark.parametrize(
    "steps",
    [
        [[_PLAYS], [songs("1.json", *_TWO)], [songs("1.json", _TWO[0])], [songs("1.json", song(title="X"))]],
        [[_PLAYS, songs("1.json", _TWO[0])], [songs("2.json", _TWO[1])], [songs("2.json")]],
        [
            [logs("1.json", play(), play(ts=TS + 9, level="paid", itemInSession=4))],
            [logs("2.json", play(ts=TS + 9, level="free", itemInSession=5, page="Home"))],
            [logs("3.json", play(ts=TS + 900, level="paid"))],
            [logs("3.json", play(ts=TS + 900, userId="2"))],
            [logs("1.json", play()), logs("2.json", play(ts=TS + 9, userId="2"))],
        ],
        [
            [_PLAYS, songs(f"{number}.json", song(song_id=f"SO{number}", artist_name=name))]
            for number, name in enumerate(_CREDITS)
        ],
    ],
    ids=["a song comes, changes and goes", "a nearer song", "the latest event goes", "credits of an artist"],
)
@pytest.mark.parametrize("engine", sweep(ENGINES, 2))
def test_histories_that_chance_meets_rarely(
    warehouses: Warehouses, engine: str, steps: Sequence[Sequence[Delivery]]
):
    hold(warehouses, engine, [Step(deliveries, "a") for deliveries in steps])


def hold(warehouses: Warehouses, engine: str, history: Sequence[Step]) -> None:
    """Run a history; after every step, and in the other two ways at its end, compare with the oracle."""
    with (
        tempfile.TemporaryDirectory(prefix="sparkify-property-") as folder,
        warehouses.temporary(engine, Path(folder) / "place") as place,
        warehouses.temporary(engine, Path(folder) / "other") as other,
    ):
        lake = Lake(Path(folder) / "lake", place)
        for step in history:
            for delivery in step.deliveries:
                lake.deliver(delivery)
            lake.run(step)
            assert_tables(place, lake.expected())
            if step.take_out:
                lake.retract() if step.take_out == "retract" else lake.undo()
                assert_tables(place, lake.expected())
        if not lake.loaded:
            return
        incremental = hash_tables(place)
        if not _can_be_published(lake.loaded, of=lake.loaded):
            return  # what had plays was taken out: a fresh load would be refused
        fresh = lake.rewrite(Path(folder) / "fresh", other)
        assert fresh.run(Step((), "all"))
        assert hash_tables(other) == incremental
        assert fresh.run(Step((), "all", full_refresh=True))
        assert hash_tables(other) == incremental


def assert_tables(place: Place, expected: Tables) -> None:
    """Compare table by table, so that a failure names one."""
    found = read_tables(place)
    for name, wanted in expected.items():
        assert found[name] == wanted, name
