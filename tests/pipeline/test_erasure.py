"""Who is forgotten is nowhere, and stays out; the tables are those without the person, always."""

from __future__ import annotations

import hashlib
import json
import os
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkify.cli.app import run
from sparkify.pipeline.erased import Erased, hashed, look_at, may_hold
from tests.contents import plays_nobody_would_find
from tests.loading import etl
from tests.old_warehouses import restore
from tests.oracle import Record, expect
from tests.pipeline.test_properties import EVENT_RECORDS, assert_tables
from tests.pipeline.test_takeout import Records, Warehouse
from tests.records import TS, play, song, write_records
from tests.tiers import by_profile, sweep
from tests.warehouses import ENGINES, Place, Warehouses, options_of, rows

DAY = 86_400_000
# Unlike anybody else's.
WHO = {"userId": "U-4711-x", "firstName": "Zebulonia", "lastName": "Quarkwell", "location": "Nowhereville-7"}
TRACES = [*WHO.values()]

pytestmark = pytest.mark.may_forget("what the ledger says of a person is blanked")
each_engine = pytest.mark.parametrize("engine", ENGINES)


def command(place: Place, *arguments: str) -> int:
    return run([*arguments, *options_of(place)])


def texts(place: Place) -> list[tuple[str, str]]:
    """Return every value of every table of ours, as text, with its table."""
    tables = rows(
        place,
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type LIKE '%TABLE' "
        "AND table_schema NOT IN ('pg_catalog', 'information_schema')",
    )
    found = []
    for schema, name in tables:
        for row in rows(place, f'SELECT * FROM "{schema}"."{name}"'):
            found += [(name, str(value)) for value in row]
    return found


def traces(place: Place, tmp_path: Path) -> list[str]:
    """Return where anything of the person is: in a table, in the file's bytes, in what rejects export."""
    found = [f"{name}: {text}" for name, text in texts(place) for each in TRACES if each in text]
    if isinstance(place, Path):
        for path in (place, place.with_name(place.name + ".wal")):
            data = path.read_bytes() if path.exists() else b""
            found += [f"{path.name}: {each}" for each in TRACES if each.encode() in data]
    out = tmp_path / "rejects.json"
    assert command(place, "rejects", "export", str(out), "--kind", "events", "--force") == 0
    return found + [f"export: {each}" for each in TRACES if each.encode() in out.read_bytes()]


def without(records: list[Record], user: str = "1") -> list[Record]:
    return [each for each in records if str(each.get("userId")) != user]


@each_engine
def test_nothing_of_the_person_is_anywhere(
    warehouses: Warehouses, tmp_path: Path, engine: str, capsys: pytest.CaptureFixture[str]
):
    """Nor comes anything back with what is read again, or delivered later."""
    place = warehouses.new(engine, tmp_path / "place")
    lake = tmp_path / "lake"
    mine = [play(**WHO, ts=TS + number, extra=WHO["location"]) for number in range(5)]
    others = [play(ts=TS + 100 + number, userId="2", firstName="Bo") for number in range(80)]
    line = json.dumps(mine[0])
    bad = [
        json.dumps(play(**WHO, ts="never")),
        json.dumps(play(**WHO, sessionId=None)),
        line[:-30],
        line[: line.index("lastName") + 24],
        line[5:],
        # In words of others, and where only the beginning of a record is kept.
        json.dumps({"message": line}),
        f"{WHO['firstName']} {WHO['lastName']} of {WHO['location']} could not log in",
        f"userId: {WHO['userId']}, firstName: {WHO['firstName']}",
        json.dumps({"about": f"{WHO['firstName']} {WHO['lastName']} " * 4000} | play(**WHO)),
        json.dumps(play(userId="2", sessionId=None, firstName="Bo")),
    ]
    log = write_records(lake / "log_data" / "1.json", *mine, *others)
    log.write_text(log.read_text() + "\n".join(bad) + "\n")
    write_records(lake / "log_data" / "2.json", *others[:3], play(ts=TS + 900, userId="3"))
    write_records(lake / "song_data" / "1.json", song())
    sources = (lake / "log_data", lake / "song_data")
    assert etl(place, *sources, "--max-rejects", "50%") == 0
    assert traces(place, tmp_path)
    assert command(place, "forget", WHO["userId"], "--plan") == 0
    capsys.readouterr()
    assert command(place, "forget", WHO["userId"], "--yes", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == [str(log)]
    assert (told["rows"], told["rows_rejected"]) == (5, 9)
    assert traces(place, tmp_path) == []
    left = [*others, *others[:3], play(ts=TS + 900, userId="3")]
    assert_tables(place, expect(left, [song()]))
    counts = (
        "SELECT rows_read, rows_loaded, rows_rejected, rows_erased FROM etl.files WHERE uri LIKE '%1.json' "
    )
    assert rows(place, counts + "AND kind = 'events'") == [(95, 80, 1, 14)]
    assert run(["rejects", "replay", "--log-data", str(sources[0]), *options_of(place)]) == 0
    assert traces(place, tmp_path) == []
    assert rows(place, counts + "AND state = 'loaded' AND kind = 'events'") == [(95, 80, 1, 14)]
    write_records(lake / "log_data" / "3.json", *mine, play(ts=TS + 901, userId="3", extra=None))
    log.write_text(log.read_text() + json.dumps(play(**WHO, ts=TS + 7)) + "\n")
    assert etl(place, *sources, "--max-rejects", "50%") == 0
    assert traces(place, tmp_path) == []
    assert_tables(place, expect([*left, play(ts=TS + 901, userId="3")], [song()]))
    sums = "SELECT COUNT(*) FROM etl.runs WHERE rows_read <> rows_loaded + rows_rejected + rows_erased"
    assert rows(place, sums) == [(0,)]
    assert command(place, "check") == 0
    assert command(place, "runs") == 0
    assert command(place, "files") == 0


def kept(record: Record, key: str) -> list[dict[str, Any]]:
    """Return what stays of an event with ``--keep-plays``."""
    if record["page"].rstrip(" ") != "NextSong":
        return []
    person = hashlib.sha256(f"{key}{record['userId']}".rstrip(" ").encode()).hexdigest()
    fields = (
        "artist",
        "auth",
        "itemInSession",
        "length",
        "level",
        "method",
        "page",
        "sessionId",
        "song",
        "status",
    )
    return [
        {each: record.get(each) for each in (*fields, "ts", "userAgent")}
        | {"userId": f"anonymous-{person[:32]}"}
    ]


@each_engine
def test_plays_may_stay_without_the_person(warehouses: Warehouses, tmp_path: Path, engine: str):
    """Of what arrives later, too; and who is then forgotten altogether leaves nothing."""
    place = warehouses.new(engine, tmp_path / "place")
    lake = tmp_path / "lake"
    mine = [
        play(**WHO, ts=TS + number, page=page) for number, page in enumerate(["NextSong", "Home", "NextSong"])
    ]
    other = play(userId="2", ts=TS + 50)
    write_records(lake / "log_data" / "1.json", *mine, other)
    write_records(lake / "song_data" / "1.json", song())
    assert etl(place, lake / "log_data", lake / "song_data") == 0
    assert command(place, "forget", WHO["userId"], "--keep-plays", "--yes") == 0
    ((key,),) = rows(place, "SELECT DISTINCT hash_key FROM etl.erased")
    assert traces(place, tmp_path) == []
    assert_tables(place, expect([other, *(k for each in mine for k in kept(each, key))], [song()]))
    later = play(**WHO, ts=TS + 10)
    write_records(lake / "log_data" / "2.json", later)
    assert etl(place, lake / "log_data", lake / "song_data") == 0
    assert traces(place, tmp_path) == []
    assert_tables(place, expect([other, *(k for each in [*mine, later] for k in kept(each, key))], [song()]))
    assert command(place, "forget", WHO["userId"], "--yes") == 0
    assert_tables(place, expect([other], [song()]))
    assert command(place, "check") == 0


def crowd(rng: random.Random) -> list[Record]:
    """Events of three days with many a minute, at hours of which a part is looked at for all of the day.

    Of a day a person may have the first or the last event, one far from others, the only one with some field,
    or all; and titles that nobody else plays.
    """
    found: list[Record] = []
    for day in range(3):
        noon = ((TS + day * DAY + DAY // 2) >> 25) << 25
        for number in range(rng.choice([3, 60, 120])):
            user = rng.choice("12345")
            found.append(
                play(
                    ts=noon + number * rng.choice([1, 20_000, 20_000, 70_000]),
                    userId=user,
                    sessionId=day * 10 + int(user),
                    itemInSession=number,
                    page=rng.choice(["NextSong", "NextSong", "NextSong", "Home"]),
                    song=rng.choice(["Title", "Other", "Rare" + rng.choice("12345"), None]),
                    gender=rng.choice(["F", None]) if user == "1" else None,
                    level=rng.choice(["free", "paid"]),
                )
            )
        found += rng.sample(found, 2)
    return found


@pytest.mark.parametrize(("seed", "engine", "keeps"), sweep(product(range(6), ENGINES, [False, True]), 19))
def test_days_and_titles_are_those_of_who_is_left(
    warehouses: Warehouses, tmp_path: Path, seed: int, engine: str, keeps: bool
):
    """Although few of a large warehouse's events are looked at."""
    rng = random.Random(seed)
    place = warehouses.new(engine, tmp_path / "place")
    events = crowd(rng)
    for day in range(3):
        of_day = [each for each in events if (each["ts"] - TS) // DAY == day]
        write_records(tmp_path / "log_data" / f"{day}.json", *of_day)
    write_records(tmp_path / "song_data" / "1.json", song())
    assert etl(place, tmp_path / "log_data", tmp_path / "song_data", "--lenient") == 0
    forgotten = rng.sample("1234", 2)
    for number, user in enumerate(forgotten):
        assert command(place, "forget", user, *(["--keep-plays"] * keeps), "--yes") == 0
        ((key,),) = rows(place, "SELECT MAX(hash_key) FROM etl.erased")
        gone = forgotten[: number + 1]
        left = [
            one
            for each in events
            for one in ([each] if each["userId"] not in gone else kept(each, key) if keeps else [])
        ]
        assert_tables(place, expect(left, [song()]))
        assert plays_nobody_would_find(place) == []
        played = {(each["song"], each["artist"]) for each in left if each["page"] == "NextSong"}
        titles = set(rows(place, "SELECT song, artist FROM etl.played_titles"))
        assert titles == {each for each in played if all(each)}
    assert command(place, "check") == 0


def test_who_is_forgotten_already_costs_nothing(
    warehouses: Warehouses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Unless the plays that stayed are to go, too. An id that nobody has is told, and remembered."""
    place = warehouses.new("duckdb", tmp_path / "place")
    write_records(tmp_path / "log_data" / "1.json", play(**WHO), play(userId="2", ts=TS + 9))
    assert etl(place, tmp_path / "log_data") == 0

    def forget(*arguments: str) -> dict[str, Any]:
        capsys.readouterr()
        assert command(place, "forget", *arguments, "--yes", "--json") == 0
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        return told

    who = WHO["userId"]
    assert forget(who, "--keep-plays")["erased"]
    assert not forget(who, "--keep-plays")["erased"]
    assert forget(who)["erased"]
    assert isinstance(place, Path)
    before = place.stat().st_ino
    assert forget(who)["already_forgotten"] == [who]
    assert not forget(who, "--keep-plays")["erased"]
    assert place.stat().st_ino == before
    assert rows(place, "SELECT COUNT(*) FROM etl.runs WHERE mode = 'forget'") == [(2,)]
    told = forget("nobody")
    assert (told["erased"], told["nobody"]) == (True, ["nobody"])
    write_records(tmp_path / "log_data" / "2.json", play(userId="nobody", ts=TS + 10))
    assert etl(place, tmp_path / "log_data") == 0
    assert rows(place, "SELECT user_id FROM songplays") == [("2",)]


PIECES = (
    *('"userId":"26"', '"userId":26.0', "'userId': 26", '"userId":2.6e1', '"userId":2_6', '"userId":+26'),
    *('"userId" : 260E-1', '"userId":"26 "', "userId=26", "user 26", "user_id: 26", '"userId":"99"'),
    *(
        r"\"userId\":\"26\"",
        r'"userId":"\u00326"',
        '"userId":\uff12\uff16',
        '"firstName":"Zeb"',
        '"lastName":"Quark"',
    ),
    *("Zeb", "Quark", "Zeb Quark", '"location":"Nowhere, XX"', '"ts":12345', "{", "}", ","),
)


@given(st.lists(st.sampled_from(PIECES), max_size=5))
def test_a_reject_that_is_not_looked_at_closely_holds_nobody(pieces: list[str]):
    person = hashed("key", "26")
    names = {"first_name": "Zeb", "last_name": "Quark", "location": "Nowhere, XX"}
    known = {hashed("key", value, column): frozenset([person]) for column, value in names.items()}
    text = ",".join(pieces)
    if Erased("key", {person: False}, known).persons_in(look_at(text)):
        assert may_hold(text, {"26", *names.values()})


def test_models_of_ones_own_hold_nothing_of_the_person(
    warehouses: Warehouses,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """They are computed anew; without their files nobody is forgotten, rather than in part."""
    place = warehouses.new("duckdb", tmp_path / "place")
    models = tmp_path / "models" / "marts"
    models.mkdir(parents=True)
    (models / "people.sql").write_text(
        "-- materialized: table\nSELECT u.user_id, u.first_name, u.last_name FROM users AS u;\n"
    )
    (models / "days.sql").write_text(
        "-- materialized: incremental\n-- day: day\n"
        "SELECT CAST(p.start_time AS DATE) AS day, p.location, p.user_id FROM songplays AS p;\n"
    )
    write_records(tmp_path / "log_data" / "1.json", play(**WHO), play(userId="2", ts=TS + 9))
    monkeypatch.setenv("SPARKIFY_DWH_MODELS", str(tmp_path / "models"))
    assert etl(place, tmp_path / "log_data") == 0
    monkeypatch.delenv("SPARKIFY_DWH_MODELS")
    before = texts(place)
    assert command(place, "forget", WHO["userId"], "--yes") == 1
    assert "[DWH] MODELS" in capsys.readouterr().err
    assert texts(place) == before
    monkeypatch.setenv("SPARKIFY_DWH_MODELS", str(tmp_path / "models"))
    assert command(place, "forget", WHO["userId"], "--yes") == 0
    assert traces(place, tmp_path) == []
    assert rows(place, "SELECT user_id FROM marts.people") == [("2",)]
    assert rows(place, "SELECT user_id FROM marts.days") == [("2",)]
    assert command(place, "check") == 0


def test_an_older_warehouse_is_upgraded_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """To be forgotten is kept in a table that it does not have."""
    old = restore(0, tmp_path / "old")
    for arguments in (["forget", "1", "--yes"], ["retain", "--older-than", "1d", "--yes"]):
        assert command(old.place, *arguments) == 1
        assert "sparkify upgrade" in capsys.readouterr().err


@dataclass
class Forgetting(Warehouse):
    """A lake in whose logs each record stands once more, rejected; and who is forgotten."""

    forgotten: dict[str, bool] = field(default_factory=dict)

    def write(self, name: str, records: Records) -> None:
        super().write(name, records)
        if name.startswith("log"):
            path = self.folder / name
            bad = "".join(json.dumps({**each, "sessionId": "bad"}) + "\n" for each in records)
            path.write_text(path.read_text(encoding="utf-8") + bad, encoding="utf-8")
            os.utime(path, (self.writes, self.writes))

    def load(self, *options: str, again: frozenset[str] = frozenset()) -> None:
        pending = {
            name: version
            for name, version in self.present.items()
            if name in again or (version != self.loaded.get(name) and version[0] != self.retracted.get(name))
        }
        after = self.loaded | pending
        publishes = self._has_plays(after, after if "--full-refresh" in options else pending)
        sources = [
            word
            for option, kind in (("--log-data", "log_data"), ("--song-data", "song_data"))
            if any(name.startswith(kind) for name in self.present)
            for word in (option, str(self.folder / kind))
        ]
        if not sources:
            return
        what = ["rejects", "replay"] if again else ["etl"]
        code = run([*what, *options_of(self.place), *sources, "--max-rejects", "100%", *options])
        assert code == (0 if publishes else 3)
        if pending or "--full-refresh" in options:
            self.runs += 1
        if publishes:
            self.loaded |= pending
            self.loaded_by |= dict.fromkeys(pending, self.runs)
            self.retracted = {k: v for k, v in self.retracted.items() if k not in pending}

    def replay(self, _what: None) -> None:
        """Read all files with rejects again that are still as they were loaded."""
        rejecting = {
            name
            for name, version in self.loaded.items()
            if name.startswith("log")
            and version == self.present.get(name)
            and not all(map(self._is_erased, version[1]))
        }
        self.load(again=frozenset(rejecting))

    def forget(self, what: tuple[str, bool]) -> None:
        user, keeps = what
        options = ["--keep-plays"] * keeps
        assert run(["forget", user, "--yes", *options, *options_of(self.place)]) == 0
        if user not in self.forgotten or (self.forgotten[user] and not keeps):
            self.runs += 1
            self.took_out.add(self.runs)
        self.forgotten[user] = keeps and self.forgotten.get(user, True)

    def _has_plays(self, files: dict[str, tuple[int, Records]], of: dict[str, tuple[int, Records]]) -> bool:
        """Tell whether a load is published: with plays, without logs, or where what was erased may be all."""
        logs = [each for name, (_, records) in files.items() if name.startswith("log") for each in records]
        erased = any(map(self._is_erased, logs))
        return erased or Warehouse.publishes(files, of=of)

    def verify(self) -> None:
        key = ""
        if self.forgotten:
            ((key,),) = rows(self.place, "SELECT MAX(hash_key) FROM etl.erased")
        wanted = expect(
            (left for each in self._records("log_data") for left in self._left(each, key)),
            self._records("song_data"),
        )
        assert_tables(self.place, wanted)
        rejected = [json.loads(text) for (text,) in rows(self.place, "SELECT content FROM etl.rejects")]
        assert not any(map(self._is_erased, rejected))
        sums = "WHERE rows_read <> rows_loaded + rows_rejected + rows_erased"
        for table in ("etl.runs", "etl.files"):
            assert rows(self.place, f"SELECT * FROM {table} {sums}") == []

    def _records(self, kind: str) -> Iterator[dict[str, Any]]:
        for name, (_, records) in self.loaded.items():
            if name.startswith(kind):
                yield from records

    def _is_erased(self, record: dict[str, Any]) -> bool:
        """Tell whether of a record, were it rejected, nothing stays."""
        return _user(record) in self.forgotten or self._is_too_old(record)

    def _is_too_old(self, _record: dict[str, Any]) -> bool:
        return False

    def _left(self, record: dict[str, Any], key: str) -> list[dict[str, Any]]:
        keeps = self.forgotten.get(_user(record))
        if self._is_too_old(record):
            return []
        return [record] if keeps is None else kept(record, key) if keeps else []


def _user(record: Record) -> str:
    return str(record["userId"]).rstrip(" ")


@st.composite
def erasing_steps(draw: st.DrawFn) -> list[tuple[str, Any, Any]]:
    events = draw(st.lists(EVENT_RECORDS, min_size=1, max_size=6))
    names = st.sampled_from(["log_data/1.json", "log_data/2/2.json", "log_data/3.json"])
    some = st.lists(st.sampled_from(events), min_size=1, max_size=4)
    writes = st.tuples(st.just("write"), names, some)
    people = st.tuples(st.sampled_from(["1", "1", "10", "é"]), st.booleans())
    steps = st.one_of(
        writes,
        st.tuples(st.just("load"), st.sampled_from([(), (), ("--full-refresh",)]), st.none()),
        st.tuples(st.just("forget"), people, st.none()),
        st.tuples(st.just("forget"), people, st.none()),
        st.tuples(st.just("replay"), st.none(), st.none()),
        st.tuples(st.sampled_from(["retract", "put_back", "remove"]), names, st.none()),
        st.tuples(st.just("undo"), st.integers(1, 6), st.none()),
    )
    first = draw(st.lists(writes, min_size=1, max_size=3))
    songs = ("write", "song_data/1.json", [song(title="Zoë", artist_name="A", duration=100.0)])
    return [songs, *first, ("load", (), None), *draw(st.lists(steps, min_size=3, max_size=8))]


@settings(max_examples=by_profile(1, 3, 300), deadline=None, suppress_health_check=list(HealthCheck))
@given(erasing_steps())
def test_in_any_order_the_tables_are_those_without_the_person(
    warehouses: Warehouses, steps: list[tuple[str, Any, Any]]
):
    hold(warehouses, "duckdb", steps)


@settings(max_examples=by_profile(1, 1, 30), deadline=None, suppress_health_check=list(HealthCheck))
@given(erasing_steps())
def test_so_they_are_on_redshift(warehouses: Warehouses, steps: list[tuple[str, Any, Any]]):
    hold(warehouses, "redshift", steps)


def hold(
    warehouses: Warehouses,
    engine: str,
    steps: list[tuple[str, Any, Any]],
    kind: type[Forgetting] = Forgetting,
) -> None:
    """Take the steps; after each, compare with the oracle."""
    with (
        tempfile.TemporaryDirectory(prefix="sparkify-erasure-") as folder,
        warehouses.temporary(engine, Path(folder) / "place") as place,
    ):
        warehouse = kind(Path(folder) / "lake", place)
        for action, what, records in steps:
            match action:
                case "write":
                    warehouse.write(what, records)
                case "load":
                    warehouse.load(*what)
                case _ if warehouse.runs == 0:
                    continue
                case _:
                    getattr(warehouse, action)(what)
            if action != "write" and warehouse.runs:
                warehouse.verify()
