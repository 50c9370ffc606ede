"""The songs of a warehouse's catalogue that are nearest to a title and artist as played.

The catalogue may hold a million songs. One question asks for those that have pieces of words in common with
what was played. If all that differs in the best of them has a name, that is the answer. Else the songs with
letters beyond ASCII are looked through, some at a time: of a text that was read in a wrong encoding no piece
may be left.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle, starmap

from sparkify.pipeline.near_misses import (
    ARTIST,
    TITLE,
    CatalogueSong,
    NearMiss,
    Played,
    may_be_same,
    rank,
    repair,
    simple_letters,
    weigh,
    words_of,
)
from sparkify.pipeline.progress import ShowProgress
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.statements import statement

# Songs that are compared one by one, and those that are looked through at a time.
_COMPARED = 500
_AT_A_TIME = 20_000
# The parameters of the question for pieces, and letters of a piece.
_PIECES = "abcd"
_PIECE = 3


def find_matching(engine: Engine, played: Played) -> CatalogueSong | None:
    """Return the song that what was played matches, if there is one; the warehouse must be open."""
    step = statement("why/matching_song.sql")
    rows = engine.execute(step, title=played.title, artist=played.artist, length=played.length)
    return CatalogueSong(*rows[0]) if rows else None


def find_near_misses(engine: Engine, played: Played, most: int, progress: ShowProgress) -> list[NearMiss]:
    """Return the songs that differ least from what was played; the warehouse must be open."""
    rows = engine.execute(statement("why/alike_songs.sql"), **_question(played))
    found = _weighed(played, starmap(CatalogueSong, rows))
    if len(rows) == _COMPARED and not any(each.is_same for each in found):
        found += _look_through(engine, played, most, progress)
    return rank(played, found, most)


def _question(played: Played) -> dict[str, str | int]:
    """Return the parameters of the question for songs that are alike."""
    accented, plain = simple_letters()
    removed = accented[len(plain) :]
    letters = str.maketrans(accented[: len(plain)], plain, removed)
    question: dict[str, str | int] = {"accented": accented, "plain": plain, "most": _COMPARED}
    for of, text in ((TITLE, played.title), (ARTIST, played.artist)):
        whole = repair(text).lower().translate(letters)
        # Each as often, so that a title is worth as much as an artist.
        pieces = cycle(_pieces(text, of) or [whole])
        question |= {of: whole, f"{of}_length": len(whole)}
        question |= {f"{of}_{letter}": next(pieces) for letter in _PIECES}
    return question


def _pieces(text: str, of: str) -> list[str]:
    """Return the first and the last letters of the longest two words: one wrong letter spares one of them."""
    words = words_of(text, of)[: len(_PIECES) // 2]
    return list(dict.fromkeys(piece for word in words for piece in (word[:_PIECE], word[-_PIECE:])))


def _weighed(played: Played, songs: Iterable[CatalogueSong]) -> list[NearMiss]:
    return [found for song in songs if (found := weigh(played, song))]


def _look_through(engine: Engine, played: Played, most: int, progress: ShowProgress) -> list[NearMiss]:
    """Return the nearest songs beyond ASCII whose title is the same but for what has a name."""
    progress(label="looking through the catalogue")
    found: list[NearMiss] = []
    after, step = "", statement("why/unusual_songs.sql")
    while rows := engine.execute(step, after=after, most=_AT_A_TIME):
        progress(rows=len(rows))
        songs = (song for song in starmap(CatalogueSong, rows) if may_be_same(played, song))
        found = rank(played, found + _weighed(played, songs), most)
        after = rows[-1][0]
    return found
