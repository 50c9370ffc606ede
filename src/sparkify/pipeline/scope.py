"""What a run has to compute anew of the star: the moments of events that came or went, and their days.

A *moment* is an event's time in ms since 1970. The moments of a run are rows of ``run_moments``; they are cut
into pieces, so that both engines read the part of a table between a piece's ends and nothing else (both keep
the smallest and largest value of each block). A piece is *whole* if most events between its ends came or
went: all of them are computed anew then, which is faster than to look each of them up. Else only the moments
in ``run_moments`` are: lines marked ``-- sparse`` in our SQL say so, and are left out for whole pieces.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Self

from sparkify.warehouse.statements import SPARSE

# Beyond any time a log can hold, and within what a TIMESTAMP can: 0001-01-01 and 9999-12-31, in ms.
FIRST = -62_135_596_800_000
LAST = 253_402_300_799_999
DAY = 86_400_000
# A day is whole if this share of its events came or went.
_MOST = 0.25
# Each piece costs its statements once more.
_MOST_PIECES = 24
# So many pieces, which cover such a share of the time between the first and the last, are better one.
_MANY_PIECES, _MOST_COVERED = 8, 0.4


class Piece(NamedTuple):
    """The moments between two ends, both included; if ``whole``, every one of them, touched or not."""

    ts_from: int
    ts_to: int
    whole: bool = True

    @property
    def left_out(self) -> tuple[str, ...]:
        """The marks of the lines that statements leave out for it."""
        return (SPARSE,) if self.whole else ()


# No moment at all.
NOTHING = Piece(1, 0)


class TouchedDay(NamedTuple):
    """A day of the run's moments; times in ms since 1970.

    Attributes:
        midnight: Its beginning.
        events: How many of its events came or went.
        ts_from: The first of them.
        ts_to: The last.
        before: How many events it had before the run.
    """

    midnight: int
    events: int
    ts_from: int
    ts_to: int
    before: int


@dataclass(frozen=True, slots=True)
class Scope:
    """The pieces, in order and apart from each other; without any, no event's time is in the scope.

    ``everything``: the people, songs and artists are all looked at, not those in the run's tables.
    """

    pieces: tuple[Piece, ...] = ()
    everything: bool = False

    @classmethod
    def all(cls) -> Self:
        """Return the scope of a full refresh."""
        return cls((Piece(FIRST, LAST),), everything=True)

    @classmethod
    def of_range(cls, ts_from: int | None, ts_to: int | None) -> Self:
        """Return the scope of every moment between two; None, None is no moment."""
        return cls() if ts_from is None or ts_to is None else cls((Piece(ts_from, ts_to),))

    @classmethod
    def of_days(cls, days: Iterable[TouchedDay]) -> Self:
        """Return the scope of the moments in ``run_moments``, by the days they lie on, in order."""
        pieces: list[Piece] = []
        for day in days:
            whole = day.events >= _MOST * (day.before + day.events)
            piece = Piece(day.ts_from, day.ts_to, whole)
            last = pieces[-1] if pieces else None
            if last and whole and last.whole and day.midnight - last.ts_to <= DAY:
                pieces[-1] = Piece(last.ts_from, day.ts_to)
            else:
                pieces.append(piece)
        if len(pieces) > _MOST_PIECES:
            pieces = _joined([Piece(each.ts_from, each.ts_to, whole=False) for each in pieces])
        return cls(tuple(pieces))

    @classmethod
    def of_midnights(cls, midnights: Iterable[int]) -> Self:
        """Return the scope of whole days, by their beginnings, in order; of many, some others between too."""
        scope = cls(tuple(Piece(each, each + DAY - 1) for each in midnights)).days()
        if len(scope.pieces) > _MOST_PIECES:
            scope = cls(tuple(_joined(list(scope.pieces)))).days()
        return cls(scope.pieces)

    def condensed(self) -> Scope:
        """Return one piece, that is not whole, for many that cover most of the time between their ends.

        What one person did lies on most days: to read a table once costs less than to read most of it in
        parts.
        """
        if not self.pieces:
            return self
        first, last = self.pieces[0].ts_from, self.pieces[-1].ts_to
        covered = sum(each.ts_to - each.ts_from for each in self.pieces)
        if len(self.pieces) < _MANY_PIECES or covered < _MOST_COVERED * (last - first):
            return self
        return Scope((Piece(first, last, whole=False),), self.everything)

    def days(self) -> Scope:
        """Return the scope of the whole UTC days of its pieces."""
        days: list[Piece] = []
        for each in self.pieces:
            ts_from, ts_to = _midnight(each.ts_from), _midnight(each.ts_to) + DAY - 1
            if days and ts_from <= days[-1].ts_to + 1:
                days[-1] = Piece(days[-1].ts_from, max(ts_to, days[-1].ts_to))
            else:
                days.append(Piece(ts_from, ts_to))
        return Scope(tuple(days), self.everything)

    def joined(self, other: Scope) -> Scope:
        """Return the scope of the days of both."""
        pieces = sorted((*self.days().pieces, *other.days().pieces))
        return Scope(tuple(pieces), self.everything or other.everything).days()


def parameters(piece: Piece) -> dict[str, int]:
    """Return the values of the SQL's parameters for a piece; ``days`` are the UTC days that it lies on."""
    ts_from, ts_to, _ = piece
    if ts_from > ts_to:
        return {"ts_from": ts_from, "ts_to": ts_to, "days_from": ts_from, "days_to": ts_to}
    return {
        "ts_from": ts_from,
        "ts_to": ts_to,
        "days_from": _midnight(ts_from),
        "days_to": _midnight(ts_to) + DAY - 1,
    }


def _midnight(moment: int) -> int:
    return moment - moment % DAY


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Join the pieces that lie nearest to each other, until there are few enough; none of them is whole."""
    gaps = sorted(later.ts_from - earlier.ts_to for earlier, later in pairwise(pieces))
    most = gaps[-_MOST_PIECES]
    found = pieces[:1]
    for each in pieces[1:]:
        if each.ts_from - found[-1].ts_to <= most:
            found[-1] = Piece(found[-1].ts_from, each.ts_to, whole=False)
        else:
            found.append(each)
    return found
