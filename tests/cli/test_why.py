"""`sparkify why`: the very record a play came from, the song it matches, or what differs in the nearest."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sparkify.cli.app import run
from sparkify.pipeline import catalogue_search
from tests.conftest import S3Server
from tests.forms import FORMS, PLAY, plain_of
from tests.loading import etl
from tests.old_warehouses import VERSIONS, restore_on
from tests.records import TS, play, song, write_records
from tests.tiers import sweep
from tests.warehouses import ENGINES, Place, Warehouses, options_of, rows

each_engine = pytest.mark.parametrize("engine", ENGINES)


class Why(NamedTuple):
    """What the command came to; ``told`` is its JSON object, ``shown`` what people see."""

    code: int
    told: dict[str, Any]
    shown: str


Ask = Callable[..., Why]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    def call(place: Place, *arguments: str) -> Why:
        capsys.readouterr()
        code = run(["why", *arguments, *options_of(place), "--json"])
        said = capsys.readouterr()
        return Why(code, json.loads(said.out), said.err)

    return call


Records = Sequence[Mapping[str, Any]]


def load(place: Place, folder: Path, plays: Records, songs: Records) -> None:
    """Load plays from one file and songs from another."""
    write_records(folder / "log_data" / "1.json", *plays)
    write_records(folder / "song_data" / "1.json", *songs)
    assert etl(place, folder / "log_data", folder / "song_data") == 0


def only_play(place: Place) -> str:
    ((number,),) = rows(place, "SELECT songplay_id FROM songplays")
    return str(number)


# What was played, what the catalogue has, and the differences by their kinds: of the title, of the artist.
Names = tuple[str, str]
NFD = unicodedata.normalize("NFD", "Jóga")
MISSES: dict[str, tuple[Names, Names, list[tuple[str, str]]]] = {
    "case": (("hello", "Adele"), ("Hello", "Adele"), [("title", "case")]),
    "leading blank": ((" Hello", "Adele"), ("Hello", "Adele"), [("title", "blanks")]),
    "double blank": (("Hello  You", "Adele"), ("Hello You", "Adele"), [("title", "blanks")]),
    "trailing no-break space": (("Hello", "Adele\u00a0"), ("Hello", "Adele"), [("artist", "blanks")]),
    "no-break space": (("Hello You", "Adele"), ("Hello\u00a0You", "Adele"), [("title", "blanks")]),
    "accents": (("Joga", "Bjork"), ("Jóga", "Björk"), [("title", "accents"), ("artist", "accents")]),
    "accents of the play": (("Jóga", "Björk"), ("Jóga", "Bjork"), [("artist", "accents")]),
    "normal form": ((NFD, "Björk"), ("Jóga", "Björk"), [("title", "normal_form")]),
    "normal form of the song": (("Jóga", "Björk"), (NFD, "Björk"), [("title", "normal_form")]),
    "encoding": (("Jóga", "BjÃ¶rk"), ("Jóga", "Björk"), [("artist", "encoding")]),
    "encoding, Latin-1 twice": (("Jóga", "BjÃ\x83Â¶rk"), ("Jóga", "Björk"), [("artist", "encoding")]),
    "encoding, cp1252 twice": (("Jóga", "BjÃƒÂ¶rk"), ("Jóga", "Björk"), [("artist", "encoding")]),
    "encoding of the song": (("Jóga", "Björk"), ("JÃ³ga", "Björk"), [("title", "encoding")]),
    "feat.": (("Lie", "Eminem feat. Rihanna"), ("Lie", "Eminem"), [("artist", "credit")]),
    "ft. and featuring": (("Lie", "Em ft. Ri"), ("Lie", "Em featuring Ri"), [("artist", "credit")]),
    "with": (("Smooth", "Santana with Rob"), ("Smooth", "Santana"), [("artist", "credit")]),
    "feat. in the title": (("Lie (feat. Ri)", "Em"), ("Lie", "Em"), [("title", "credit")]),
    "live": (("Hello (Live)", "Adele"), ("Hello", "Adele"), [("title", "suffix")]),
    "version": (("Hello", "Adele"), ("Hello (Album Version)", "Adele"), [("title", "suffix")]),
    "remastered": (("Help - Remastered 2009", "Adele"), ("Help", "Adele"), [("title", "suffix")]),
    "the": (("Help", "Beatles"), ("Help", "The Beatles"), [("artist", "article")]),
    "the, behind": (("Help", "Beatles, The"), ("Help", "The Beatles"), [("artist", "article")]),
    "apostrophe": (("Don\u2019t Stop", "Mac"), ("Don't Stop", "Mac"), [("title", "punctuation")]),
    "and": (("Bo & I", "Mac"), ("Bo and I", "Mac"), [("title", "punctuation")]),
    "another artist": (("Hello", "Adele"), ("Hello", "Lionel Richie"), [("artist", "other")]),
    "similar title": (("Helo", "Adele"), ("Hello", "Adele"), [("title", "similar")]),
    "similar both": (("Helo", "Adelle"), ("Hello", "Adele"), [("title", "similar"), ("artist", "similar")]),
    "several": (
        ("the lie (live)", "eminem feat. Ri"),
        ("Lie", "Eminem"),
        [
            ("title", "suffix"),
            ("title", "article"),
            ("title", "case"),
            ("artist", "credit"),
            ("artist", "case"),
        ],
    ),
}
# Songs that are further away than any of those above.
DECOYS = [
    song(song_id=f"SODECOY{number}", title=title, artist_name=artist, artist_id=f"ARD{number}")
    for number, (title, artist) in enumerate(
        [
            ("Quite Otherwise", "Adele"),
            ("Hyperballad", "Björk"),
            ("Stan", "Eminem"),
            ("Yesterday", "The Beatles"),
            ("Nothing Else Matters", "Metallica"),
            ("Heli", "Nobody At All"),
        ]
    )
]


@pytest.mark.parametrize("miss", sweep(list(MISSES), 3))
def test_the_song_that_differs_least_is_first_and_what_differs_is_named(miss: str, tmp_path: Path, ask: Ask):
    verify_miss(tmp_path / "w.duckdb", tmp_path, MISSES[miss], ask)


@pytest.mark.parametrize("miss", sweep(list(MISSES), 9))
def test_on_redshift_too(miss: str, warehouses: Warehouses, tmp_path: Path, ask: Ask):
    with warehouses.temporary("redshift", tmp_path) as place:
        verify_miss(place, tmp_path, MISSES[miss], ask)


def verify_miss(
    place: Place, folder: Path, miss: tuple[Names, Names, list[tuple[str, str]]], ask: Ask
) -> None:
    played, there, kinds = miss
    near = song(song_id="SONEAR", title=there[0], artist_name=there[1], duration=190.25)
    load(place, folder, [play(song=played[0], artist=played[1])], [*DECOYS, near])
    for question in ([only_play(place)], ["--song", played[0], "--artist", played[1], "--length", "200.5"]):
        found = ask(place, *question)
        assert (found.code, found.told["match"]) == (0, None)
        first = found.told["candidates"][0]
        assert (first["song_id"], first["title"], first["artist_name"]) == ("SONEAR", *there)
        assert [(each["of"], each["kind"]) for each in first["differences"]] == [*kinds, ("length", "length")]
        words = [each["words"] for each in first["differences"]]
        assert words[-1] == "the song is 10.25 s shorter"
        assert all(f"    - {each}\n" in found.shown for each in words)


@each_engine
def test_exact_and_title_artist_are_said_with_the_song(
    engine: str, warehouses: Warehouses, tmp_path: Path, ask: Ask
):
    """Of several songs of a title and artist it is the one that the play matched: the nearest in length."""
    plays = [play(), play(ts=TS + 1, length=190.0), play(ts=TS + 2, length=None)]
    songs = [song(), song(song_id="SO2", duration=195.0), song(song_id="SO3", duration=100.0)]
    with warehouses.temporary(engine, tmp_path) as place:
        load(place, tmp_path, plays, songs)
        numbers = [each for (each,) in rows(place, "SELECT songplay_id FROM songplays ORDER BY start_time")]
        matches = []
        for number, record in zip(numbers, plays, strict=True):
            by_play = ask(place, str(number)).told
            length = () if record["length"] is None else ("--length", str(record["length"]))
            by_name = ask(place, "--song", "Title", "--artist", "Artist ", *length).told
            assert by_play["match"] == by_name["match"]
            assert (by_name["play"], by_name["deliveries"], by_name["candidates"]) == (None, [], [])
            matches.append([by_play["match"][name] for name in ("song_id", "song_match", "longer_by")])
        assert matches == [
            ["SO1", "exact", 0.0],
            ["SO2", "title_artist", 5.0],
            ["SO1", "title_artist", None],
        ]
        assert "the song is 5 s longer." in ask(place, str(numbers[1])).shown


def test_a_play_without_a_title_has_nothing_to_match(tmp_path: Path, ask: Ask):
    place = tmp_path / "w.duckdb"
    load(place, tmp_path, [play(song=None)], [song()])
    found = ask(place, only_play(place))
    assert (found.told["match"], found.told["candidates"]) == (None, [])
    assert "without a title and an artist there is nothing to match" in found.shown


def test_of_songs_that_are_nothing_like_it_none_is_named(tmp_path: Path, ask: Ask):
    place = tmp_path / "w.duckdb"
    load(place, tmp_path, [play(song="Zzz", artist="Xyz")], DECOYS)
    found = ask(place, only_play(place))
    assert (found.code, found.told["candidates"]) == (0, [])


def test_at_most_so_many_songs_the_nearest_first(tmp_path: Path, ask: Ask):
    """By what differs, and then by length."""
    titles = ["hello", "Hello (Live)", "Hello!", "Hellos", "HELLO"]
    songs = [song(song_id=f"SO{n}", title=each, duration=100.0 + n) for n, each in enumerate(titles)]
    load(tmp_path / "w.duckdb", tmp_path, [play()], songs)
    question = ("--song", "Hello", "--artist", "Artist", "--length", "104.1")
    found = ask(tmp_path / "w.duckdb", *question, "--limit", "4").told["candidates"]
    assert [each["title"] for each in found] == ["HELLO", "hello", "Hello!", "Hello (Live)"]


@each_engine
def test_in_a_large_catalogue_a_song_is_found_that_has_no_letters_in_common(
    engine: str, warehouses: Warehouses, tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
):
    """It is looked through whole, some songs at a time, when those with most in common are not near."""
    monkeypatch.setattr(catalogue_search, "_COMPARED", 3)
    monkeypatch.setattr(catalogue_search, "_AT_A_TIME", 2)
    title, artist = "Кино", "Группа крови"
    garbled = title.encode().decode("latin-1"), artist.encode().decode("latin-1")
    with warehouses.temporary(engine, tmp_path) as place:
        there = song(song_id="SOA", title=garbled[0], artist_name=garbled[1])
        load(place, tmp_path, [play()], [*DECOYS, there])
        found = ask(place, "--song", title, "--artist", artist).told["candidates"]
        assert [each["song_id"] for each in found] == ["SOA"]
        kinds = [each["kind"] for each in found[0]["differences"]]
        assert kinds == ["encoding", "encoding"]


def verify_bytes(plain: bytes, found: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    """Verify that the bytes that are named are the record, and that they begin on the line that is named."""
    at = found["byte_offset"]
    there = json.loads(plain[at : at + found["size"]])
    assert there | {"ts": int(float(there["ts"]))} == record
    assert plain[:at].count(b"\n") + 1 == found["line"]


@pytest.mark.parametrize("form", sweep(FORMS, 3))
def test_the_bytes_of_the_line_that_is_named_are_the_play(form: str, tmp_path: Path, ask: Ask):
    name, data, (line, nth) = FORMS[form]
    place, path = tmp_path / "w.duckdb", tmp_path / "log_data" / name
    path.parent.mkdir()
    path.write_bytes(data)
    assert etl(place, path.parent, None, "--max-rejects", "1") == 0
    ((number,),) = rows(place, "SELECT songplay_id FROM songplays WHERE user_id = '1'")
    found = ask(place, str(number))
    ((delivery,)) = found.told["deliveries"]
    assert (delivery["uri"], delivery["run_id"], delivery["file"]) == (str(path), 1, "same")
    (there,) = delivery["places"]
    assert (there["line"], there["nth_in_line"]) == (line, nth)
    verify_bytes(plain_of(path), there, PLAY)
    which = f", record {nth} of the line" if nth > 1 else ""
    assert f"  {path} (run 1)\n    line {line}{which} (byte {there['byte_offset']:,})\n" in found.shown
    values = {"level": "free", "song": "Zoë's", "artist": "Artist", "length": 200.5, "location": "London"}
    assert found.told["play"] == values | {
        "songplay_id": str(number),  # more than a double holds
        "start_time": "2018-11-01T00:00:00.007000",
        "user_id": "1",
        "session_id": 1,
        "item_in_session": 0,
        "user_agent": "Browser",
        "song_match": None,
    }


@each_engine
def test_each_delivery_is_told_and_which_one_the_play_has_its_values_from(
    engine: str, warehouses: Warehouses, tmp_path: Path, ask: Ask
):
    """Twice in one file and once in another: three records, one play."""
    logs = tmp_path / "log_data"
    other = play(ts=TS + 1)
    write_records(logs / "1.json", play(level="paid"), other, play())
    write_records(logs / "2.json", play(level="paid", location="York"))
    with warehouses.temporary(engine, tmp_path) as place:
        assert etl(place, logs) == 0
        ((number, level),) = rows(place, f"SELECT songplay_id, level FROM songplays WHERE {at(TS)}")
        found = ask(place, str(number))
        assert level == "free"
        told = [
            (Path(each["uri"]).name, each["records"], [(p["line"], p["has_values"]) for p in each["places"]])
            for each in found.told["deliveries"]
        ]
        assert told == [("1.json", 2, [(1, False), (3, True)]), ("2.json", 1, [(1, False)])]
        assert "It was delivered 3 times, and counts once:" in found.shown
        assert "    line 3 (byte " in found.shown
        assert ", with its values\n" in found.shown


def at(ts: int) -> str:
    return f"start_time = TIMESTAMP '1970-01-01' + INTERVAL '1' SECOND * {ts // 1000} AND user_id = '1'"


def test_deliveries_of_several_runs_name_their_runs(tmp_path: Path, ask: Ask):
    place, logs = tmp_path / "w.duckdb", tmp_path / "log_data"
    for number in (1, 2):
        write_records(logs / f"{number}.json", play(), play(ts=TS + number))
        assert etl(place, logs) == 0
    ((play_id,),) = rows(place, f"SELECT songplay_id FROM songplays WHERE {at(TS)}")
    found = ask(place, str(play_id))
    told = [(each["run_id"], [p["line"] for p in each["places"]]) for each in found.told["deliveries"]]
    assert told == [(1, [1]), (2, [1])]
    assert "values" not in found.shown, "they do not differ"


def gone(path: Path) -> None:
    path.unlink()


def changed(path: Path) -> None:
    write_records(path, play(ts=TS + 1), play())


def changed_and_without(path: Path) -> None:
    write_records(path, play(ts=TS + 1))


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def touched(path: Path) -> None:
    os.utime(path, (1, 1))


@pytest.mark.parametrize(
    ("change", "file", "lines", "words"),
    [
        (gone, "gone", [], "the file is not there any more"),
        (folder, "gone", [], "the file is not there any more"),
        (changed, "changed", [2], "the file has changed since run 1 loaded it: where the play stands now"),
        (changed_and_without, "changed", [], "the play is not in it any more"),
        (touched, "same", [1], ""),
    ],
)
def test_of_a_file_that_is_not_what_was_loaded_this_is_said(
    change: Callable[[Path], None], file: str, lines: list[int], words: str, tmp_path: Path, ask: Ask
):
    place, path = tmp_path / "w.duckdb", tmp_path / "log_data" / "1.json"
    load(place, tmp_path, [play()], [song()])
    change(path)
    found = ask(place, only_play(place))
    ((delivery,)) = found.told["deliveries"]
    assert (found.code, delivery["uri"], delivery["run_id"]) == (0, str(path), 1)
    assert (delivery["file"], [each["line"] for each in delivery["places"]]) == (file, lines)
    assert words in (delivery["why"] or "")
    assert words in found.shown
    assert found.told["match"]["song_match"] == "exact"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_hides_nothing_else(tmp_path: Path, ask: Ask):
    place = tmp_path / "w.duckdb"
    load(place, tmp_path, [play()], [song()])
    (tmp_path / "log_data" / "1.json").chmod(0)
    found = ask(place, only_play(place))
    assert found.code == 0
    assert found.told["deliveries"][0]["file"] == "unreadable"
    assert "may not be read" in found.told["deliveries"][0]["why"]


def test_files_on_s3_are_read_again_and_are_gone_when_they_are(
    s3: S3Server, tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
):
    variables = {"KEY": s3.key, "SECRET": s3.secret, "ENDPOINT_URL": s3.endpoint, "REGION": "us-east-1"}
    for name, value in variables.items():
        monkeypatch.setenv(f"SPARKIFY_AWS_{name}", value)
    place, path = tmp_path / "w.duckdb", s3.root / "why" / "log_data" / "1.json"
    write_records(path, play(ts=TS + 1, userId="2"), play())
    assert etl(place, "s3://why/log_data") == 0
    ((number,),) = rows(place, "SELECT songplay_id FROM songplays WHERE user_id = '1'")
    (delivery,) = ask(place, str(number)).told["deliveries"]
    assert (delivery["uri"], delivery["file"]) == ("s3://why/log_data/1.json", "same")
    verify_bytes(path.read_bytes(), delivery["places"][0], play())
    path.unlink()
    (delivery,) = ask(place, str(number)).told["deliveries"]
    assert (delivery["file"], delivery["places"]) == ("gone", [])


def verify_origin(told: Mapping[str, Any], path_of: Callable[[str], Path]) -> int:
    """Verify that the records that are named are the play, by what they say in their own words.

    Returns:
        How many there are; of a file that is not there, none.
    """
    play, found = told["play"], 0
    identity = (play["user_id"], play["session_id"], play["item_in_session"], play["start_time"])
    assert told["deliveries"]
    for delivery in told["deliveries"]:
        path = path_of(delivery["uri"])
        if not path.exists():
            assert (delivery["file"], delivery["places"]) == ("gone", [])
            continue
        plain = plain_of(path)
        assert (delivery["file"], len(delivery["places"])) == ("same", delivery["records"])
        found += delivery["records"]
        for place in delivery["places"]:
            record = json.loads(plain[place["byte_offset"] :][: place["size"]])
            time = datetime.fromtimestamp(int(record["ts"]) // 1000, UTC).replace(tzinfo=None)
            time += timedelta(milliseconds=int(record["ts"]) % 1000)
            names = ("userId", "sessionId", "itemInSession")
            user, *rest = (record[name] for name in names)
            assert (str(user), *map(int, rest), time.isoformat()) == identity
            assert plain[: place["byte_offset"]].count(b"\n") + 1 == place["line"]
    return found


@each_engine
def test_on_a_warehouse_of_an_older_version(
    engine: str, warehouses: Warehouses, s3: S3Server, tmp_path: Path, ask: Ask
):
    """Its ledger knows no contents: the size and version of a file say whether it is what was loaded."""
    old = restore_on(engine, VERSIONS[0], tmp_path / "old", warehouses, s3)
    numbers = rows(old.place, "SELECT songplay_id FROM songplays ORDER BY songplay_id LIMIT 5")

    def path_of(uri: str) -> Path:
        return s3.root / uri.removeprefix("s3://") if uri.startswith("s3://") else Path(uri)

    assert sum(verify_origin(ask(old.place, str(number)).told, path_of) for (number,) in numbers)


@pytest.mark.thorough
def test_of_the_real_month(real_data: Path, tmp_path: Path, ask: Ask):
    place = tmp_path / "w.duckdb"
    assert etl(place, real_data / "log_data", real_data / "song_data") in (0, 4)
    for (number,) in rows(place, "SELECT songplay_id FROM songplays ORDER BY songplay_id LIMIT 10"):
        assert verify_origin(ask(place, str(number)).told, Path) == 1


def test_what_is_not_known_is_an_error_with_the_next_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    place = tmp_path / "w.duckdb"
    load(place, tmp_path, [play()], [song()])
    capsys.readouterr()
    assert run(["why", "7", *options_of(place), "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["message"], error["exit_code"]) == ("there is no play 7.", 1)
    assert "`sparkify query" in error["hint"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--song", "Hello"],
        ["--artist", "Adele"],
        ["--song", "", "--artist", "Adele"],
        ["--length", "3"],
        ["1", "--song", "Hello"],
        ["last"],
        [str(2**63)],
    ],
)
def test_half_a_question_is_a_usage_error(arguments: list[str], tmp_path: Path):
    assert run(["why", *arguments, *options_of(tmp_path / "w.duckdb")]) == 2


def test_hostile_texts_steer_no_terminal(tmp_path: Path, ask: Ask):
    """Of the play, of the songs, and of the differences."""
    place = tmp_path / "w.duckdb"
    evil = "\x1b[2J\x9b31m\r\n"
    load(
        place,
        tmp_path,
        [play(song=f"{evil}Title (feat. {evil})", artist=f"Artist{evil}", userId=f"1{evil}")],
        [song(title=f"Title ({evil})", artist_name=f"Artist {evil}", song_id=f"SO{evil}")],
    )
    found = ask(place, only_play(place))
    assert len(found.told["candidates"]) == 1
    assert not set(found.shown.replace("\n", "")) & {chr(code) for code in (*range(32), *range(127, 160))}
    assert "\\x1b[2J" in found.shown


def test_without_a_warehouse_none_is_made(tmp_path: Path):
    assert run(["why", "1", *options_of(tmp_path / "w.duckdb")]) == 1
    assert list(tmp_path.iterdir()) == []
