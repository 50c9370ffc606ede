"""The songs of a warehouse's catalogue that are nearest to a title and artist as played.

The catalogue may hold a million songs. One question asks for those that have pieces of words in common with
what was played. If all that differs in the best of them has a name, that is the answer; else the whole
catalogue is looked through, some songs at a time, for titles written in a way that has no piece in common.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import starmap

from sparkify.pipeline.near_misses import (
    ARTIST,
    TITLE,
    CatalogueSong,
    NearMiss,
    Played,
    may_be_same,
    rank,
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
# A title and an artist are worth as much, whatever the number of their pieces: 1 to 4.
_WORTH = 12
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
    accented, plain = simple_letters()
    question: dict[str, str | int] = {"accented": accented, "plain": plain, "most": _COMPARED}
    for of, text in ((TITLE, played.title), (ARTIST, played.artist)):
        pieces = _pieces(text, of)
        # What no text holds stands for a piece that is not there.
        question |= {f"{of}_{letter}": "\x01" for letter in _PIECES}
        question |= {f"{of}_{letter}": piece for letter, piece in zip(_PIECES, pieces, strict=False)}
        question |= {f"{of}_worth": _WORTH // max(len(pieces), 1), f"{of}_length": len(text)}
    return question


def _pieces(text: str, of: str) -> list[str]:
    """Return the first and the last letters of the longest two words: one wrong letter spares one of them."""
    words = words_of(text, of)[: len(_PIECES) // 2]
    return list(dict.fromkeys(piece for word in words for piece in (word[:_PIECE], word[-_PIECE:])))


def _weighed(played: Played, songs: Iterable[CatalogueSong]) -> list[NearMiss]:
    return [found for song in songs if (found := weigh(played, song))]


def _look_through(engine: Engine, played: Played, most: int, progress: ShowProgress) -> list[NearMiss]:
    """Return the nearest songs of the whole catalogue whose title is the same but for what has a name."""
    progress(label="looking through the catalogue")
    found: list[NearMiss] = []
    after, step = "", statement("why/more_songs.sql")
    while rows := engine.execute(step, after=after, most=_AT_A_TIME):
        progress(rows=len(rows))
        songs = (song for song in starmap(CatalogueSong, rows) if may_be_same(played, song))
        found = rank(played, found + _weighed(played, songs), most)
        after = rows[-1][0]
    return found
