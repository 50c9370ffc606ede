"""What differs between a title or artist as played and one of the catalogue, in words.

A play matches a song whose title and artist are the same, letter by letter; that rule is not softened here.
This module names what keeps two texts apart that a person takes for the same, and says which of many songs
differs least. It knows no database.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher
from functools import cache, lru_cache
from typing import NamedTuple

from sparkify.text import shortened, visible

TITLE, ARTIST, LENGTH = "title", "artist", "length"
# What a text may differ in beyond all steps below.
SIMILAR, OTHER = "similar", "other"
# Seconds within which two lengths are the same, as in song_matches.sql.
SAME_LENGTH = 0.001

# How alike the letters of two texts are, from 0 to 1, if they are similar. An artist's name says more.
_LEAST_ALIKE = {TITLE: 0.6, ARTIST: 0.75}
# What a difference weighs that is none of the steps, and how much more the less alike the texts are.
_SIMILAR_WEIGHS, _OTHER_WEIGHS, _UNLIKE_WEIGHS = 12.0, 30.0, 30.0
_MOST_SHOWN = 60

# Letters that Unicode does not take apart, and what is written for them.
_SIMPLE = {"ø": "o", "đ": "d", "ł": "l", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
_LETTERS = str.maketrans(_SIMPLE | {letter.upper(): simple.upper() for letter, simple in _SIMPLE.items()})
# Invisible: zero width spaces and joiners, soft hyphen, byte order mark.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_BYTES_OF_CP1252 = {
    bytes([byte]).decode("cp1252"): byte for byte in range(128, 256) if byte not in b"\x81\x8d\x8f\x90\x9d"
}
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_MOST_MISREAD = 3

_CREDIT = r"(?:feat(?:uring|\.)?|ft\.?|f/)(?=[\s.])"
_CREDITS = {
    TITLE: re.compile(rf"\s*[(\[]\s*(?:{_CREDIT}|with\s)[^)\]]*[)\]]|\s+{_CREDIT}[^()\[\]]*", re.IGNORECASE),
    ARTIST: re.compile(rf"\s*[(\[]?\s*(?<!\w)(?:{_CREDIT}|with\s).*$", re.IGNORECASE),
}
_SUFFIX = re.compile(r"(?:\s*(?:\([^()]*\)|\[[^][]*\])|\s+[-\u2013\u2014]\s+[^()\[\]]+)\s*$")
_ARTICLE = re.compile(r"^\s*the\s+|\s*,\s*the\s*$", re.IGNORECASE)
_NO_LETTERS = re.compile(r"[\W_]+")


class Difference(NamedTuple):
    """One thing in which a song differs from what was played.

    Attributes:
        of: What differs: :data:`TITLE`, :data:`ARTIST` or :data:`LENGTH`.
        kind: A code: the name of a step, :data:`SIMILAR`, :data:`OTHER` or :data:`LENGTH`.
        words: A clause for people.
    """

    of: str
    kind: str
    words: str


class Comparison(NamedTuple):
    """How two texts differ: in what, and how much (0: not at all)."""

    differences: list[Difference]
    distance: float


class Played(NamedTuple):
    """What was played; a length of None is not known."""

    title: str
    artist: str
    length: float | None = None


class CatalogueSong(NamedTuple):
    """A song of the catalogue."""

    song_id: str
    title: str | None
    artist_id: str
    artist_name: str | None
    duration: float | None
    year: int | None


class NearMiss(NamedTuple):
    """A song that was not matched, and what it differs in.

    Attributes:
        distance: How much title and artist differ.
        song: The song.
        differences: In what, the length included.
    """

    distance: float
    song: CatalogueSong
    differences: list[Difference]

    @property
    def is_same(self) -> bool:
        """Whether title and artist are the same but for differences that have a name."""
        return not any(each.kind in (SIMILAR, OTHER) for each in self.differences)


def repair(text: str) -> str:
    """Return a text whose UTF-8 was read as Latin-1 or Windows-1252, as it was before; others as they are.

    >>> repair("BjÃ¶rk"), repair("BjÃƒÂ¶rk"), repair("Björk")
    ('Björk', 'Björk', 'Björk')
    """
    for _ in range(_MOST_MISREAD):
        repaired = _NOT_ASCII.sub(_read_as_utf8, text)
        if repaired == text:
            break
        text = repaired
    return text


def _read_as_utf8(found: re.Match[str]) -> str:
    try:
        return bytes(_BYTES_OF_CP1252.get(letter, ord(letter)) for letter in found[0]).decode()
    except ValueError:  # a letter beyond Latin-1, or no UTF-8
        return found[0]


def _compose(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _trim(text: str) -> str:
    return " ".join(_INVISIBLE.sub("", text).split())


def _remove_accents(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return unicodedata.normalize("NFC", "".join(each for each in apart if not unicodedata.combining(each)))


def _remove_punctuation(text: str) -> str:
    return _NO_LETTERS.sub("", re.sub(r"\s*[&+]\s*", " and ", text)) or text


def _remove_article(text: str) -> str:
    return _ARTICLE.sub("", text, count=1) or text


def _remove_suffix(text: str) -> str:
    while (shorter := _SUFFIX.sub("", text)) and shorter != text:
        text = shorter
    return text


def _remove_credits(of: str) -> Callable[[str], str]:
    return lambda text: _CREDITS[of].sub("", text) or text


class _Step(NamedTuple):
    """A way to make texts equal that differ in one thing; ``tell`` says what of it a text has."""

    kind: str
    weight: float
    words: str
    make: Callable[[str], str]
    tell: Callable[[str, str], str] = lambda _before, _after: ""


def _tell_misread(before: str, _after: str) -> str:
    turns = 0
    while (once := _NOT_ASCII.sub(_read_as_utf8, before)) != before and turns < _MOST_MISREAD:
        before, turns = once, turns + 1
    return f"UTF-8 read as Latin-1{('', '', ' twice', ' three times')[turns]}" if turns else ""


def _tell_form(before: str, _after: str) -> str:
    return "" if unicodedata.is_normalized("NFC", before) else "letters and accents apart, NFD"


def _tell_blanks(before: str, _after: str) -> str:
    found = ["a leading blank"] if before[:1].isspace() else []
    found += ["a trailing blank"] if before[-1:].isspace() else []
    found += ["a double blank"] if re.search(r"\s\s", before.strip()) else []
    other = {each for each in before if (each.isspace() and each != " ") or _INVISIBLE.match(each)}
    names = {"\u00a0": "no-break space", "\t": "tab", "\n": "line break"}
    found += [
        f"U+{ord(each):04X} {names.get(each) or unicodedata.name(each, '').lower()}".strip()
        for each in sorted(other)
    ]
    return ", ".join(found)


def _tell_removed(before: str, after: str) -> str:
    """Return what of a text is not in a shorter one: its beginning, or its end."""
    same = next(
        (n for n, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), len(after)
    )
    end = len(before) - (len(after) - same)
    removed = before[same:end].strip()
    return f'"{visible(shortened(removed, _MOST_SHOWN))}"' if removed else ""


def _steps(of: str) -> tuple[_Step, ...]:
    """Return the steps in the order in which they are taken."""
    return (
        _Step("encoding", 1.5, "encoding", repair, _tell_misread),
        _Step("normal_form", 1, "Unicode normal form", _compose, _tell_form),
        _Step("blanks", 1, "blanks", _trim, _tell_blanks),
        _Step("credit", 4, "the credit of others", _remove_credits(of), _tell_removed),
        _Step("suffix", 5, "an addition in brackets or after a dash", _remove_suffix, _tell_removed),
        _Step("article", 3, "the article", _remove_article, _tell_removed),
        _Step("case", 1, "letter case", str.casefold),
        _Step("accents", 2, "accents", _remove_accents),
        _Step("punctuation", 2, "punctuation", _remove_punctuation),
    )


_STEPS = {of: _steps(of) for of in (TITLE, ARTIST)}


def _through(text: str, steps: Sequence[_Step]) -> str:
    for step in steps:
        text = step.make(text)
    return text


@lru_cache(maxsize=4096)
def key_of(text: str, of: str) -> str:
    """Return what is left of a title or artist after all steps: near misses of every named kind have one."""
    return _through(text, _STEPS[of])


def words_of(text: str, of: str) -> list[str]:
    """Return the words of a title or artist after all steps but the last, the longest first."""
    words = _NO_LETTERS.sub(" ", _through(text, _STEPS[of][:-1])).split()
    return sorted(dict.fromkeys(words), key=len, reverse=True)


@cache
def simple_letters() -> tuple[str, str]:
    """Return letters with accents and what SQL's TRANSLATE is to write for them: for accents nothing."""
    pairs = {}
    for letter in map(chr, range(0xC0, 0x250)):
        plain = _remove_accents(letter.lower())
        if letter.islower() and len(plain) == 1 and plain.isascii():
            pairs[letter] = plain
    return "".join(pairs) + "".join(map(chr, range(0x300, 0x370))), "".join(pairs.values())


def compare(played: str, other: str, of: str) -> Comparison:
    """Return in what two titles or two artists differ.

    Of the steps that make them equal those are named that are needed; of two that would do the milder one.

    Args:
        played: As it was played.
        other: As the catalogue has it.
        of: :data:`TITLE` or :data:`ARTIST`.
    """
    if played == other:
        return Comparison([], 0)
    ours, theirs = key_of(played, of), key_of(other, of)
    if ours != theirs:
        alike = _how_alike(ours, theirs)
        unlike = (1 - alike) * _UNLIKE_WEIGHS
        if alike >= _LEAST_ALIKE[of]:
            words = f"the {of} is spelt otherwise ({alike:.0%} alike)"
            return Comparison([Difference(of, SIMILAR, words)], _SIMILAR_WEIGHS + unlike)
        return Comparison([Difference(of, OTHER, f"another {of}")], _OTHER_WEIGHS + unlike)
    needed = list(_STEPS[of])
    for step in sorted(needed, key=lambda each: -each.weight):
        without = [each for each in needed if each is not step]
        if _through(played, without) == _through(other, without):
            needed = without
    found = [Difference(of, step.kind, _words(step, needed, played, other, of)) for step in needed]
    return Comparison(found, sum(step.weight for step in needed))


def _how_alike(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, other, one, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= min(_LEAST_ALIKE.values()) else 0.0


def _words(step: _Step, needed: Sequence[_Step], played: str, other: str, of: str) -> str:
    """Return a clause that names a difference, and which of the texts has what."""
    before = needed[: needed.index(step)]
    told = []
    for whose, text in (("played", played), ("catalogue", other)):
        so_far = _through(text, before)
        if peculiar := step.tell(so_far, step.make(so_far)):
            told.append(f"{whose}: {peculiar}")
    return f"the {of} differs in {step.words}" + (f" ({'; '.join(told)})" if told else "")


def longer_by(played: float | None, duration: float | None) -> float | None:
    """Return by how many seconds a song is longer than what was played; None where one is not known."""
    return None if played is None or duration is None else duration - played


def compare_lengths(played: float | None, duration: float | None) -> list[Difference]:
    """Return the difference of two lengths in seconds, where there is one and both are known."""
    longer = longer_by(played, duration)
    if longer is None or abs(longer) <= SAME_LENGTH:
        return []
    by = f"{abs(longer):,.3f}".rstrip("0").rstrip(".")
    return [Difference(LENGTH, LENGTH, f"the song is {by} s {'longer' if longer > 0 else 'shorter'}")]


def weigh(played: Played, song: CatalogueSong) -> NearMiss | None:
    """Return a song and what it differs in; None if it has not enough in common with what was played.

    Enough is the same title, or the same artist with a similar title, or both similar; same means all that
    :func:`compare` names.
    """
    title = compare(played.title, song.title or "", TITLE)
    others = [each.kind for each in title.differences]
    if OTHER in others:
        return None
    artist = compare(played.artist, song.artist_name or "", ARTIST)
    if SIMILAR in others and OTHER in (each.kind for each in artist.differences):
        return None
    differences = title.differences + artist.differences + compare_lengths(played.length, song.duration)
    return NearMiss(title.distance + artist.distance, song, differences)


def may_be_same(played: Played, song: CatalogueSong) -> bool:
    """Tell, faster than :func:`weigh`, whether a song has the same title but for what has a name."""
    return key_of(song.title or "", TITLE) == key_of(played.title, TITLE)


def rank(played: Played, found: Iterable[NearMiss], most: int) -> list[NearMiss]:
    """Return those that differ least, then least in length; each song once."""

    def key(each: NearMiss) -> tuple[float, float, str]:
        longer = longer_by(played.length, each.song.duration)
        return each.distance, math.inf if longer is None else abs(longer), each.song.song_id

    return sorted({each.song.song_id: each for each in found}.values(), key=key)[:most]
