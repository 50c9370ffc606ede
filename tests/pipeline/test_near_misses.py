"""What keeps two titles or artists apart is named, and the mildest explanation is the one that is given."""

from __future__ import annotations

import doctest
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.pipeline import near_misses
from sparkify.pipeline.near_misses import (
    ARTIST,
    TITLE,
    CatalogueSong,
    NearMiss,
    Played,
    compare,
    compare_lengths,
    key_of,
    rank,
    repair,
    simple_letters,
    weigh,
)

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
# Words that the steps look for, so that examples have them.
NAMES = st.lists(
    st.sampled_from(
        ["The ", ", The", "Björk", "BjÃ¶rk", " feat. X", " (Live)", "[", " - ", "&", "\u00a0", "ß", "İ"]
    )
    | TEXTS,
    max_size=5,
).map("".join)


def there(title: str | None, artist: str | None = "Artist", duration: float | None = 1.0) -> CatalogueSong:
    return CatalogueSong("SO1", title, "AR1", artist, duration, None)


SUFFIX = "an addition in brackets or after a dash"
CREDIT = "the credit of others"
NFD = unicodedata.normalize("NFD", "Björk")


@pytest.mark.parametrize(
    ("of", "played", "catalogue", "what"),
    [
        (TITLE, "hello", "Hello", ["letter case"]),
        (TITLE, " Hello", "Hello", ["blanks (played: a leading blank)"]),
        (TITLE, "Hi  You", "Hi You ", ["blanks (played: a double blank; catalogue: a trailing blank)"]),
        (TITLE, "Hi\u00a0You", "Hi You", ["blanks (played: U+00A0 no-break space)"]),
        (TITLE, "\u200bHi", "Hi", ["blanks (played: U+200B zero width space)"]),
        (ARTIST, "Bjork", "Björk", ["accents"]),
        (ARTIST, "Mo", "Mø", ["accents"]),
        (ARTIST, NFD, "Björk", ["Unicode normal form (played: letters and accents apart, NFD)"]),
        (ARTIST, "BjÃ¶rk", "Björk", ["encoding (played: UTF-8 read as Latin-1)"]),
        (ARTIST, "Björk", "BjÃƒÂ¶rk", ["encoding (catalogue: UTF-8 read as Latin-1 twice)"]),
        (ARTIST, "BjÃ¶", "bjo", ["encoding (played: UTF-8 read as Latin-1)", "letter case", "accents"]),
        (ARTIST, "Em feat. Ri", "Em", [f'{CREDIT} (played: "feat. Ri")']),
        (ARTIST, "Em with Ri", "Em (ft. Ri)", [f'{CREDIT} (played: "with Ri"; catalogue: "(ft. Ri)")']),
        (TITLE, "Lie ft. Ri", "Lie", [f'{CREDIT} (played: "ft. Ri")']),
        (TITLE, "Hi (Live)", "Hi", [f'{SUFFIX} (played: "(Live)")']),
        (TITLE, "Hi", "Hi - Remastered 2009", [f'{SUFFIX} (catalogue: "- Remastered 2009")']),
        (ARTIST, "Cure, The", "The Cure", ['the article (played: ", The"; catalogue: "The")']),
        (TITLE, "Don\u2019t", "Don\u0027t", ["punctuation"]),
        (ARTIST, "Simon & Garfunkel", "Simon and Garfunkel", ["punctuation"]),
        (ARTIST, "AC/DC", "ACDC", ["punctuation"]),
        (TITLE, "Same", "Same", []),
    ],
)
def test_what_differs_is_named_and_nothing_else(of: str, played: str, catalogue: str, what: list[str]):
    found = compare(played, catalogue, of).differences
    assert [each.words for each in found] == [f"the {of} differs in {each}" for each in what]


@pytest.mark.parametrize(
    ("of", "played", "catalogue", "words"),
    [
        (TITLE, "Helo", "Hello", "the title is spelt otherwise (89% alike)"),
        (TITLE, "With or Without You", "Without You", "the title is spelt otherwise (77% alike)"),
        (ARTIST, "Adele", "Metallica", "another artist"),
        (ARTIST, "!!!", "???", "another artist"),
    ],
)
def test_what_has_no_name_is_spelling_or_another(of: str, played: str, catalogue: str, words: str):
    assert [each.words for each in compare(played, catalogue, of).differences] == [words]


def test_the_examples_of_the_module_are_true():
    assert doctest.testmod(near_misses).failed == 0


@given(TEXTS, st.sampled_from(["latin-1", "cp1252"]), st.integers(1, 2))
def test_what_was_read_in_a_wrong_encoding_is_read_again(text: str, encoding: str, times: int):
    wrong = text
    try:
        for _ in range(times):
            wrong = wrong.encode().decode(encoding)
    except UnicodeDecodeError:  # cp1252 has no letter for five bytes
        return
    assert repair(wrong) == repair(text)


@given(NAMES, NAMES, st.sampled_from([TITLE, ARTIST]))
def test_of_any_two_texts_something_is_said_unless_they_are_the_same(one: str, other: str, of: str):
    there_and_back = compare(one, other, of), compare(other, one, of)
    assert all(bool(each.differences) == (one != other) for each in there_and_back)
    assert all((each.distance > 0) == (one != other) for each in there_and_back)
    for each in there_and_back:
        named = not {"similar", "other"} & {difference.kind for difference in each.differences}
        assert named == (key_of(one, of) == key_of(other, of))


def test_lengths_are_compared_as_plays_are_matched():
    assert compare_lengths(200.0, 200.0009) == []
    assert [each.words for each in compare_lengths(200.0, 212.5)] == ["the song is 12.5 s longer"]
    assert [each.words for each in compare_lengths(1200.0, 0.5)] == ["the song is 1,199.5 s shorter"]
    assert compare_lengths(None, 200.0) == compare_lengths(200.0, None) == []


@pytest.mark.parametrize(
    ("title", "artist", "near"),
    [
        ("HELLO", "Adele", True),
        ("Hello", "Metallica", True),
        ("Helo", "Adele", True),
        ("Helo", "Adelle", True),
        ("Helo", "Metallica", False),
        ("Skyfall", "Adele", False),
        (None, "Adele", False),
        ("Hello", None, True),
    ],
)
def test_songs_with_too_little_in_common_are_none(title: str | None, artist: str | None, near: bool):
    assert bool(weigh(Played("Hello", "Adele"), there(title, artist))) is near


def test_the_nearest_is_first_then_the_nearest_in_length_each_song_once():
    played = Played("Hello", "Adele", 200.0)
    songs = [
        there("Hello", "Metallica"),
        there("Hello (Live)", "Adele"),
        there("HELLO", "Adele", 100.0),
        there("hello", "Adele", 201.0),
        there("HellO", "Adele", None),
    ]
    found = [weigh(played, each._replace(song_id=f"SO{n}")) for n, each in enumerate(songs)]
    misses: list[NearMiss] = [each for each in found if each]
    assert [each.song.song_id for each in rank(played, misses * 2, 4)] == ["SO3", "SO2", "SO4", "SO1"]


def test_letters_for_sql_are_one_for_one_and_accents_alone_are_removed():
    accented, plain = simple_letters()
    assert dict(zip(accented, plain, strict=False))["ö"] == "o"
    assert set(accented[len(plain) :]) == {chr(code) for code in range(0x300, 0x370)}
    assert plain.isascii()
