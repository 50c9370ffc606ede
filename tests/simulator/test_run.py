from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest
import zstandard

from sparkify.errors import ConfigError, SourceError
from sparkify.simulator import workers
from sparkify.simulator import world as run
from sparkify.simulator.workers import simulate
from sparkify.simulator.world import World, users_for
from tests.simulator.files import log_lines, tree

KEYS = [
    *("artist", "auth", "firstName", "gender", "itemInSession", "lastName", "length", "level", "location"),
    *("method", "page", "registration", "sessionId", "song", "status", "ts", "userAgent", "userId"),
]
SONG_KEYS = [
    *("num_songs", "artist_id", "artist_latitude", "artist_longitude", "artist_location", "artist_name"),
    *("song_id", "title", "duration", "year"),
]


@pytest.fixture(scope="module")
def small(make_plan, aws, tmp_path_factory):
    out = tmp_path_factory.mktemp("small")
    counts = simulate(make_plan(days=12, users=150), str(out), aws)
    return out, counts


def test_lines_have_exactly_the_fields_types_and_bytes_of_the_real_logs(small):
    out, counts = small
    texts = [path.read_bytes() for path in (out / "log_data").rglob("*.json")]
    assert sum(text.count(b"\n") + 1 for text in texts) == counts.rows
    for text in texts:
        assert not text.endswith(b"\n")
        for line in text.split(b"\n"):
            event = json.loads(line)
            assert list(event) == KEYS
            # The app's own writer: compact, ASCII, slashes escaped.
            assert line == json.dumps(event, separators=(",", ":")).replace("/", "\\/").encode()


def test_lines_say_what_the_real_ones_say_logged_in_and_out(small):
    out, _ = small
    pages: Counter[tuple[str, str]] = Counter()
    for events in log_lines(out).values():
        for event in events:
            pages[event["page"], event["auth"]] += 1
            personal = [
                event[k] for k in ("firstName", "lastName", "gender", "location", "registration", "userAgent")
            ]
            song = [event[k] for k in ("artist", "song", "length")]
            if event["auth"] == "Logged Out":
                assert personal == [None] * 6
                assert event["userId"] == ""
            else:
                assert None not in personal
                assert event["userId"].isdigit()
                assert isinstance(event["registration"], float)
            assert (None in song) == (event["page"] != "NextSong")
            if event["page"] == "NextSong":
                assert event["auth"] == "Logged In"
                assert isinstance(event["length"], float)
            assert event["level"] in ("free", "paid")
            assert event["status"] in (200, 307, 404)
    assert pages["Home", "Logged Out"] > 0
    assert pages["NextSong", "Logged In"] > 0


def test_files_are_utc_days_in_the_order_of_time_under_their_names(small):
    out, _ = small
    for path in (out / "log_data").rglob("*.json"):
        stamps = [json.loads(line)["ts"] for line in path.read_bytes().split(b"\n")]
        assert stamps == sorted(stamps)
        for stamp in (stamps[0], stamps[-1]):
            day = datetime.fromtimestamp(stamp / 1000, UTC)
            assert path.relative_to(out).as_posix() == f"log_data/{day:%Y/%m/%Y-%m-%d}-events.json"


def test_the_identity_of_an_event_is_unique_and_items_count_from_0_in_the_order_of_time(small):
    out, _ = small
    events = [event for events in log_lines(out).values() for event in events]
    identity = Counter((e["userId"], e["sessionId"], e["itemInSession"], e["ts"]) for e in events)
    assert max(identity.values()) == 1
    sessions: dict[int, list[dict[str, Any]]] = {}
    for event in events:
        sessions.setdefault(event["sessionId"], []).append(event)
    for session in sessions.values():
        assert [event["itemInSession"] for event in session] == list(range(len(session)))
        assert len({event["userId"] for event in session} - {""}) <= 1


def test_a_level_changes_only_by_the_pages_for_it_and_lasts_beyond_the_session(make_plan, aws, tmp_path):
    simulate(make_plan(users=400, days=20, songs=0), str(tmp_path), aws)
    level: dict[str, str] = {}
    changes: Counter[str] = Counter()
    for events in log_lines(tmp_path).values():
        for event in events:
            user = event["userId"]
            if not user:
                continue
            assert level.setdefault(user, event["level"]) == event["level"]
            change = {"Submit Upgrade": "paid", "Submit Downgrade": "free"}.get(event["page"])
            if change:
                changes[change] += 1
                level[user] = change
    assert changes["paid"] > 10


def test_a_song_is_followed_by_the_next_when_it_ends(small):
    out, _ = small
    events = sorted(
        (e for events in log_lines(out).values() for e in events),
        key=lambda e: (e["sessionId"], e["itemInSession"]),
    )
    pairs = [
        (a, b)
        for a, b in pairwise(events)
        if a["sessionId"] == b["sessionId"] and a["page"] == b["page"] == "NextSong"
    ]
    assert pairs
    assert all(b["ts"] - a["ts"] == int(a["length"]) * 1000 for a, b in pairs)


def test_song_files_have_the_fields_and_places_of_the_million_song_dataset(small):
    out, _ = small
    paths = list((out / "song_data").rglob("*.json"))
    assert len(paths) == 20
    ids = set()
    for path in paths:
        record = json.loads(path.read_bytes())
        assert list(record) == SONG_KEYS
        assert path.read_text() == json.dumps(record)
        assert re.fullmatch(r"TR[A-Z]{5}12[0-9A-F]{9}", path.stem)
        assert path.relative_to(out).parts[1:-1] == tuple(path.stem[2:5])
        assert re.fullmatch(r"SO[A-Z]{6}12[0-9A-F]{8}", record["song_id"])
        assert re.fullmatch(r"AR[A-Z]{5}1187[0-9A-F]{7}", record["artist_id"])
        ids.add(record["song_id"])
    assert len(ids) == 20


@pytest.mark.parametrize(("share", "slack"), [(0.0, 0.0), (0.3, 0.05), (1.0, 0.0)])
def test_known_songs_is_the_share_of_plays_that_match_a_song_file(make_plan, aws, tmp_path, share, slack):
    simulate(make_plan(known_songs=share, songs=200), str(tmp_path), aws)
    songs = {
        (song["artist_name"], song["title"], song["duration"])
        for song in (json.loads(path.read_bytes()) for path in (tmp_path / "song_data").rglob("*.json"))
    }
    plays = [
        (event["artist"], event["song"], event["length"])
        for events in log_lines(tmp_path).values()
        for event in events
        if event["page"] == "NextSong"
    ]
    assert abs(sum(play in songs for play in plays) / len(plays) - share) <= slack


def test_an_existing_catalogue_is_played_and_not_written_again(make_plan, aws, tmp_path):
    simulate(make_plan(songs=15), str(tmp_path / "one"), aws)
    catalogue = tmp_path / "one" / "song_data"
    plan = make_plan(song_data=str(catalogue), known_songs=1.0)
    simulate(plan, str(tmp_path / "two"), aws, workers=2)
    assert not (tmp_path / "two" / "song_data").exists()
    titles = {json.loads(path.read_bytes())["title"] for path in catalogue.rglob("*.json")}
    played = {e["song"] for events in log_lines(tmp_path / "two").values() for e in events} - {None}
    assert played
    assert played <= titles


def test_a_song_file_that_is_no_song_is_named(make_plan, aws, tmp_path):
    (tmp_path / "bad.json").write_text('{"title": "x"}')
    with pytest.raises(SourceError, match=r"bad\.json"):
        World(make_plan(song_data=str(tmp_path)), aws)


@pytest.fixture(params=["fork", "spawn"])
def sent(monkeypatch, request):
    """Wait for the helpers before days are written; return the days they were sent, one by one."""
    write_all, send = workers._write_all, workers._send
    days: list[int] = []

    def wait_and_write(world, writer, helpers, report):
        forked = [type(helper.process).__name__ == "ForkProcess" for helper in helpers]
        assert set(forked) <= {request.param == "fork"}
        assert all(helper.ready or helper.connection.poll(60) for helper in helpers)
        write_all(world, writer, helpers, report)

    def note_and_send(helper, plan, unit):
        days.extend(day for day, _ in unit)
        return send(helper, plan, unit)

    monkeypatch.setattr(workers, "_may_fork", lambda: request.param == "fork")
    monkeypatch.setattr(workers, "_write_all", wait_and_write)
    monkeypatch.setattr(workers, "_send", note_and_send)
    return days


def test_the_bytes_do_not_depend_on_the_number_of_workers(make_plan, aws, tmp_path, sent, monkeypatch):
    monkeypatch.setattr(run, "_WINDOW", 2_000)  # several units
    plan = make_plan(users=300, days=7, compression="gzip")
    simulate(plan, str(tmp_path / "1"), aws, workers=1)
    simulate(plan, str(tmp_path / "3"), aws, workers=3)
    assert sent
    assert tree(tmp_path / "1") == tree(tmp_path / "3")


def test_busy_days_in_many_windows_and_many_workers_give_the_same_bytes(
    make_plan, aws, tmp_path, sent, monkeypatch
):
    """Days of more than one window are streamed; whoever writes them."""
    plan = make_plan(users=30_000, days=2, songs=0)
    assert 3 * plan.users > run._WINDOW
    simulate(plan, str(tmp_path / "1"), aws, workers=1)
    simulate(plan, str(tmp_path / "2"), aws, workers=2)
    assert sent
    assert tree(tmp_path / "1") == tree(tmp_path / "2")
    monkeypatch.setattr(run, "_WINDOW", 10**9)
    simulate(plan, str(tmp_path / "whole"), aws, workers=1)
    assert _multiset(tree(tmp_path / "1")) == _multiset(tree(tmp_path / "whole"))


def _multiset(files):
    return {name: Counter(text.split(b"\n")) for name, text in files.items()}


def test_another_seed_is_another_world(make_plan, aws, tmp_path):
    for seed in (1, 2):
        simulate(make_plan(seed=seed), str(tmp_path / str(seed)), aws)
    assert tree(tmp_path / "1") != tree(tmp_path / "2")


def test_a_longer_simulation_begins_like_a_shorter_one(make_plan, aws, tmp_path):
    for days in (4, 8):
        simulate(make_plan(days=days, songs=0), str(tmp_path / str(days)), aws)
    short, long = log_lines(tmp_path / "4"), log_lines(tmp_path / "8")
    assert short == {day: events for day, events in long.items() if day in short}


def _unzstd(data):
    return zstandard.ZstdDecompressor().decompressobj().decompress(data)


@pytest.mark.parametrize(
    ("compression", "codec"), [("gzip", (".gz", gzip.decompress)), ("zstd", (".zst", _unzstd))]
)
def test_compressed_logs_hold_the_plain_ones(make_plan, aws, tmp_path, compression, codec):
    suffix, decompress = codec
    for folder, kind in (("plain", "none"), ("packed", compression), ("again", compression)):
        simulate(make_plan(compression=kind, songs=0), str(tmp_path / folder), aws)
    packed = tree(tmp_path / "packed")
    assert {name.removesuffix(suffix): decompress(data) for name, data in packed.items()} == tree(
        tmp_path / "plain"
    )
    assert packed == tree(tmp_path / "again")


def test_a_tag_is_in_every_line(make_plan, aws, tmp_path):
    simulate(make_plan(tag='B "new"'), str(tmp_path), aws)
    events = [event for events in log_lines(tmp_path).values() for event in events]
    assert {event["tag"] for event in events} == {'B "new"'}


def test_a_place_that_is_not_empty_is_refused_and_left_alone(make_plan, aws, tmp_path):
    (tmp_path / "precious.txt").write_text("x")
    with pytest.raises(SourceError, match="not empty"):
        simulate(make_plan(), str(tmp_path), aws)
    assert tree(tmp_path) == {"precious.txt": b"x"}


def test_force_never_takes_away_the_catalogue_being_played(make_plan, aws, tmp_path):
    simulate(make_plan(), str(tmp_path), aws)
    songs = tree(tmp_path / "song_data")
    simulate(make_plan(song_data=str(tmp_path / "song_data")), str(tmp_path), aws, force=True)
    assert tree(tmp_path / "song_data") == songs


def test_force_takes_nothing_away_when_the_catalogue_cannot_be_read(make_plan, aws, tmp_path):
    simulate(make_plan(), str(tmp_path), aws)
    before = tree(tmp_path)
    with pytest.raises(SourceError):
        simulate(make_plan(song_data=str(tmp_path / "nowhere")), str(tmp_path), aws, force=True)
    assert tree(tmp_path) == before


def test_users_grow_and_leave_by_the_yearly_rates(make_plan, aws):
    year = {"days": 365, "users": 2000, "songs": 0}
    people = World(make_plan(growth_rate=0.5, attrition_rate=0.3, **year), aws).people
    assert abs(len(people) - 3000) < 5
    joined = people.registered[2000:]
    assert (joined >= 0).all()
    assert (people.registered[:2000] < 0).all()
    left = (people.leaves[:2000] < 365 * 86_400_000).mean()
    assert abs(left - 0.3) < 0.04


def test_nobody_listens_before_joining_or_after_leaving(make_plan, aws, tmp_path):
    plan = make_plan(days=60, users=80, songs=0, growth_rate=20.0, attrition_rate=0.99)
    people = World(plan, aws).people
    simulate(plan, str(tmp_path), aws)
    for events in log_lines(tmp_path).values():
        for event in events:
            if event["userId"]:
                who = int(event["userId"]) - 1
                at = event["ts"] - plan.midnight
                assert at >= people.registered[who]
                assert event["registration"] == people.registered[who] + plan.midnight
                if event["itemInSession"] == 0:
                    assert at <= people.leaves[who]


def test_about_so_many_events_means_within_a_tenth(make_plan, aws):
    for days in (2, 40):
        plan = make_plan(days=days, songs=0)
        world = World(replace(plan, users=users_for(60_000, plan, aws)), aws)
        found = sum(len(part) for _, parts in world.days() for part in parts)
        assert abs(found - 60_000) < 6_000, plan.days


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": 0},
        {"users": 0},
        {"songs": -1},
        {"seed": -1},
        {"growth_rate": -0.1},
        {"attrition_rate": -0.1},
        {"attrition_rate": 1.0},
        {"known_songs": 1.5},
        {"start": date(1999, 1, 1)},
        {"start": date(2285, 12, 31), "days": 30},
        {"compression": "lzma"},
    ],
)
def test_options_that_make_no_sense_are_refused(make_plan, wrong):
    with pytest.raises(ConfigError) as caught:
        make_plan(**wrong)
    assert next(iter(wrong)).replace("_", "-") in caught.value.message
    assert caught.value.hint


def test_a_worker_that_fails_fails_the_whole_with_its_reason(make_plan, aws, tmp_path, sent):
    # In the way of a file.
    (tmp_path / "log_data/2018/11/2018-11-03-events.json").mkdir(parents=True)
    with pytest.raises(SourceError, match=r"2018-11-03-events\.json cannot be written"):
        simulate(make_plan(), str(tmp_path), aws, workers=2)
    assert sent == [0, 1, 2, 3, 4]


def test_what_has_used_the_client_of_the_object_store_is_not_forked(tmp_path):
    """Its threads would be missing."""
    lines = [
        "import obstore",
        "from sparkify.simulator.workers import _may_fork",
        "store = obstore.store.LocalStore('.')",
        "before = _may_fork()",
        "obstore.put(store, 'x', b'x')",
        "print(before, _may_fork())",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True False\n"
