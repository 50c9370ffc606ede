"""However files arrive, the tables are those of the oracle: any order, split, duplicate, replacement.

Small pools of values make collisions common: the same event in two files or twice in one, ties, several
credits for an artist, several records for a song, plays before their song, texts that differ in blanks.
"""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkify.cli.app import run
from sparkify.pipeline import scope
from tests.contents import hash_tables, plays_nobody_would_find, read_tables
from tests.loading import etl
from tests.oracle import Tables, expect
from tests.records import TS, play, song
from tests.tiers import by_profile, sweep
from tests.warehouses import ENGINES, Place, Warehouses, exists, options_of, rows

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
    },
    optional={
        "deviceType": st.sampled_from([None, "phone", "né"]),
        "score": st.sampled_from([12, 12.5, "x"]),
    },
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
    },
    optional={"tags": st.sampled_from([["a"], [], None])},
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


class Cut(NamedTuple):
    """How a run's moments are cut into pieces: see :mod:`sparkify.pipeline.scope`.

    Days of a few events are nearly always whole; with more than 1 as the share, none is.
    """

    share: float
    pieces: int


USUAL = Cut(0.25, 24)


@contextmanager
def cutting(cut: Cut) -> Iterator[None]:
    """Let runs cut their moments like that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scope, "_MOST", cut.share)
        patch.setattr(scope, "_MOST_PIECES", cut.pieces)
        yield


@dataclass(frozen=True)
class Step:
    """What arrives, the run after it, and what is taken out of the warehouse after that."""

    deliveries: Sequence[Delivery]
    root: str
    full_refresh: bool = False
    one_by_one: bool = False
    take_out: str = ""
    cut: Cut = USUAL


@st.composite
def _histories(draw: st.DrawFn) -> list[Step]:
    """Files made of a few records, so that each is delivered more than once, and so are whole files."""
    events = st.sampled_from(draw(st.lists(EVENT_RECORDS, min_size=1, max_size=9)))
    songs = st.sampled_from(draw(st.lists(SONG_RECORDS, min_size=1, max_size=6)))
    roots = st.sampled_from(["a", "a", "a", "b"])
    log_names = st.sampled_from(["1.json", "2/2.json.gz", "3.json.zst", "4.jsonl"])
    song_names = st.sampled_from(["A/1.json", "A/2.json", "B/3.json"])
    log_files = st.sampled_from(draw(st.lists(st.lists(events, max_size=6), min_size=1, max_size=3)))
    song_files = st.sampled_from(draw(st.lists(st.lists(songs, max_size=4), min_size=1, max_size=3)))
    log_records = log_files | st.lists(events, max_size=6) | st.none()
    song_records = song_files | st.lists(songs, max_size=4) | st.none()
    deliveries = st.builds(Delivery, roots, st.just("log_data"), log_names, log_records) | st.builds(
        Delivery, roots, st.just("song_data"), song_names, song_records
    )
    rarely = st.sampled_from([False, False, False, True])
    take_out = st.sampled_from(["", "", "", "", "retract", "undo"])
    cuts = st.sampled_from([USUAL, Cut(2.0, 24), Cut(2.0, 1), Cut(0.6, 2)])
    some = st.lists(deliveries, min_size=1, max_size=6)
    steps = st.builds(Step, some, roots, rarely, rarely, take_out, cuts)
    return draw(st.lists(steps, min_size=1, max_size=5))


@dataclass
class Entry:
    """What the warehouse knows of a file.

    ``state`` is loaded, retracted or copy; ``load`` counts the loads, and says which one brought it.
    """

    version: Version
    state: str
    load: int

    @property
    def content(self) -> Content | None:
        return content_of(self.version.delivery)


# What a file is known by: its kind and its decoded bytes.
Content = tuple[str, bytes]


def content_of(delivery: Delivery) -> Content | None:
    """Return what a file is known by wherever it lies; files without records are all alike, and are not."""
    return (delivery.kind, decoded(delivery)) if delivery.records else None


class Lake:
    """Files on disk, and which of them a warehouse that runs over them must hold."""

    def __init__(self, folder: Path, place: Place) -> None:
        self.folder = folder
        self.place = place
        self.present: dict[Path, Version] = {}
        self.known: dict[Path, Entry] = {}
        self._writes = 0
        self._loads = 0
        # Of the load under way: pairs of folders between which a file moved under its name, and files of the
        # first that may be former versions of files of the second.
        self._moved: set[tuple[Path, Path]] = set()
        self._former: dict[Path, tuple[Path, Path]] = {}

    @property
    def loaded(self) -> dict[Path, Version]:
        return {path: entry.version for path, entry in self.known.items() if entry.state == "loaded"}

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
        publishes = self._load(step, [folder for kind, folder in folders.items() if listed[kind]])
        options = [*["--full-refresh"] * step.full_refresh, *["--batch-bytes", "1"] * step.one_by_one]
        code = etl(
            self.place,
            folders["log_data"] if listed["log_data"] else None,
            folders["song_data"] if listed["song_data"] else None,
            *options,
        )
        assert code == (0 if publishes else 3)
        return publishes

    def _load(self, step: Step, folders: Sequence[Path]) -> bool:
        """Take in what is new, batch by batch; the last one is left out if it cannot be published."""
        self._loads += 1
        self._moved, self._former = set(), {}
        places = [path for each in folders for path in sorted(self.present) if path.is_relative_to(each)]
        pending = [path for path in places if self._is_pending(path)]
        batches = [[path] for path in pending] if step.one_by_one else [pending]
        for batch in batches or [[]]:
            before = {path: replace(entry) for path, entry in self.known.items()}
            self._take_in(batch, places, folders)
        after = self.loaded
        brought = {path: after[path] for path in after if self.known[path].load == self._loads}
        publishes = _can_be_published(after, of=after if step.full_refresh else brought)
        if not publishes:
            self.known = before
        return publishes

    def _is_pending(self, path: Path) -> bool:
        """Tell whether a file is to be read: it is new or changed, or the copy of something that went."""
        entry = self.known.get(path)
        if entry is None or entry.version != self.present[path]:
            return True
        return entry.state == "copy" and self._owner(entry.content) is None

    def _owner(self, content: Content | None) -> Path | None:
        """Return where the one file is that stands for a content."""
        owners = [
            path for path, entry in self.known.items() if entry.state != "copy" and entry.content == content
        ]
        assert content is None or len(owners) <= 1
        return owners[0] if content and owners else None

    def _take_in(self, batch: Sequence[Path], places: Sequence[Path], folders: Sequence[Path]) -> None:
        """Read files, and bring what is known up to what their places hold now."""
        holds = {path: entry.content for path, entry in self.known.items() if path in places}
        for path in places:
            # Whether a copy that changed is one still, is not known before it is read.
            if path in self.known and self.known[path].state == "copy" and self._is_changed(path):
                holds[path] = None
        holds |= {path: content_of(self.present[path].delivery) for path in batch}
        moves = self._moves(holds, folders, batch)
        for path, to in moves.items():
            if path.parent != to.parent or path.name != to.name:
                self._note_move(path, to)
        moving = {to: self.known.pop(path) for path, to in moves.items()}
        new = [path for path in batch if path not in self.known and path not in moving]
        for path in batch:
            self.known.pop(path, None)
        for to, entry in moving.items():
            self.known[to] = Entry(self.present[to], entry.state, entry.load)
        for path in batch:
            if path not in moving:
                copy = self._owner(holds[path]) is not None
                self.known[path] = Entry(self.present[path], "copy" if copy else "loaded", self._loads)
        self._forget_former([path for path in new if self.known[path].state == "loaded"])

    def _is_changed(self, path: Path) -> bool:
        return self.known[path].version != self.present[path]

    def _moves(
        self, holds: dict[Path, Content | None], folders: Sequence[Path], batch: Sequence[Path]
    ) -> dict[Path, Path]:
        """Return to which place the files that stand for contents go; those read again may stay."""
        moves = {}
        kinds = {folder.name for folder in folders}
        for path, entry in self.known.items():
            if entry.state == "copy" or entry.content is None or entry.version.delivery.kind not in kinds:
                continue
            where = sorted(place for place, content in holds.items() if content == entry.content)
            if path in where:
                if path in batch:
                    moves[path] = path
            elif where:
                moves[path] = where[0]
        return moves

    def _parts(self, path: Path) -> tuple[Path, Path]:
        """Return the folder of one kind that a file lies in, and its name there."""
        root, kind, *_ = path.relative_to(self.folder).parts
        folder = self.folder / root / kind
        return folder, path.relative_to(folder)

    def _note_move(self, path: Path, to: Path) -> None:
        (former, name), (folder, new_name) = self._parts(path), self._parts(to)
        if name == new_name:
            self._moved.add((former, folder))

    def _forget_former(self, new: Sequence[Path]) -> None:
        """Let new files replace what was loaded under their names from a folder that has moved to theirs."""
        for path in new:
            folder, name = self._parts(path)
            for other in list(self.known):
                former, same = self._parts(other)
                if same == name and former != folder and former.name == folder.name:
                    if self.known[other].state != "loaded":
                        continue
                    self._former[other] = (former, folder)
                    if not any(each.is_relative_to(former) for each in self.present):
                        del self.known[other], self._former[other]
        for other, between in list(self._former.items()):
            if other not in self.known:
                del self._former[other]
            elif between in self._moved:
                del self.known[other], self._former[other]

    def retract(self) -> None:
        """Take one file out: it stays out until it changes."""
        if self.loaded:
            path = min(self.loaded)
            assert run(["retract", str(path), "--yes", *options_of(self.place)]) == 0
            self.known[path].state = "retracted"

    def undo(self) -> None:
        """Take out what the last run brought that is still in: the next run loads it again."""
        if self.loaded:
            latest = rows(
                self.place,
                "SELECT run_id, uri FROM etl.files WHERE state = 'loaded' AND run_id = "
                "(SELECT MAX(run_id) FROM etl.files WHERE state = 'loaded')",
            )
            assert run(["undo", str(latest[0][0]), "--yes", *options_of(self.place)]) == 0
            for _, uri in latest:
                del self.known[Path(uri)]

    def expected(self) -> Tables:
        return expect(_records(self.loaded, "log_data"), _records(self.loaded, "song_data"))

    def states(self) -> dict[str, str]:
        """Return what the ledger has to say of every file."""
        return {str(path): entry.state for path, entry in self.known.items()}

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
    """Write records in one of the forms the sources have."""
    data = decoded(delivery)
    if delivery.name.endswith(".gz"):
        return gzip.compress(data)
    if delivery.name.endswith(".zst"):
        return zstandard.ZstdCompressor().compress(data)
    return data


def decoded(delivery: Delivery) -> bytes:
    """Return what a file holds before it is compressed; which form it has follows from the records."""
    records = [
        # A key that is missing means the same as null.
        {key: value for key, value in record.items() if value is not None or number % 2}
        for number, record in enumerate(delivery.records or ())
    ]
    ascii_only = len(records) % 2 == 0
    if delivery.kind == "log_data":
        text = "\n".join(json.dumps(record, ensure_ascii=ascii_only) for record in records)
        return (text + "\n" * ascii_only).encode()
    if len(records) == 3:
        return json.dumps(records, ensure_ascii=ascii_only).encode()
    indent = None if len(records) == 1 else 2
    texts = [json.dumps(record, ensure_ascii=ascii_only, indent=indent) for record in records]
    return "\n".join(texts).encode()


@settings(max_examples=by_profile(2, 40, 1500), deadline=None, suppress_health_check=list(HealthCheck))
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
@pytest.mark.parametrize("cut", [USUAL, Cut(2.0, 24)], ids=["whole", "sparse"])
def test_histories_that_chance_meets_rarely(
    warehouses: Warehouses, engine: str, steps: Sequence[Sequence[Delivery]], cut: Cut
):
    hold(warehouses, engine, [Step(deliveries, "a", cut=cut) for deliveries in steps])


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
            with cutting(step.cut):
                lake.run(step)
                assert_lake(lake)
                if step.take_out:
                    lake.retract() if step.take_out == "retract" else lake.undo()
                    assert_lake(lake)
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


def assert_lake(lake: Lake) -> None:
    """Compare what is known of the files, then the tables."""
    if exists(lake.place):
        current = "('loaded', 'retracted', 'set_aside', 'copy')"
        found = rows(lake.place, f"SELECT uri, state FROM etl.files WHERE state IN {current}")
        assert sorted(found) == sorted(lake.states().items())
        assert not plays_nobody_would_find(lake.place)
    assert_tables(lake.place, lake.expected())


def assert_tables(place: Place, expected: Tables) -> None:
    """Compare table by table, so that a failure names one."""
    found = read_tables(place)
    for name, wanted in expected.items():
        assert found[name] == wanted, name
