"""Compare two sets of activity logs by the distances between their distributions.

Total variation distance is half the sum of absolute differences of two frequency tables; the
Kolmogorov-Smirnov distance is the largest difference of two empirical distribution functions. Both lie
between 0 (equal) and 1.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sparkify.errors import SourceError
from sparkify.lake.codec import decompress
from sparkify.lake.store import Store, read_all
from sparkify.simulator.draws import Floats

END = "(end)"


@dataclass(frozen=True, slots=True)
class Profile:
    """The distributions of a set of logs.

    Attributes:
        events: Number of events.
        pages: Events by page.
        transitions: Pairs of page and next page of the same session; the last is followed by :data:`END`.
        hours: Events by hour of the day, UTC.
        session_lengths: Events of each session.
        song_gaps: Seconds from each song to the next event of its session, less the song's length.
        song_lengths: Seconds, by play.
        plays: Plays of each user in the logs, per day.
        paid: Share of events at level paid.
    """

    events: int
    pages: Mapping[str, int]
    transitions: Mapping[tuple[str, str], int]
    hours: Mapping[int, int]
    session_lengths: Floats
    song_gaps: Floats
    song_lengths: Floats
    plays: Floats
    paid: float


@dataclass(frozen=True, slots=True)
class Distance:
    """One comparison: the distance, and its upper bound for a realistic simulation."""

    name: str
    measure: str
    value: float
    bound: float

    @property
    def within(self) -> bool:
        """Whether the distance is within the bound."""
        return self.value <= self.bound


# The fields that a profile needs.
_NEEDED = {"ts", "page", "sessionId", "itemInSession", "length", "level", "userId"}


def read_profile(store: Store) -> Profile:
    """Return the profile of every log file of a lake.

    Raises:
        SourceError: The files cannot be read, or are not logs.
    """
    return profile(_events(store))


def _events(store: Store) -> Iterator[Mapping[str, Any]]:
    for item, data in read_all(store, store.listing().objects):
        for number, line in enumerate(decompress(data).data.splitlines(), 1):
            if not line.strip():
                continue
            try:
                event = json.loads(line)
            except ValueError:
                event = None
            if not isinstance(event, dict) or not event.keys() >= _NEEDED:
                raise SourceError(
                    f"{item.uri}, line {number} is no log line.",
                    "Name the folder of the logs alone, such as log_data, and have them load first.",
                    uri=item.uri,
                )
            yield event


def profile(events: Iterable[Mapping[str, Any]]) -> Profile:
    """Return the profile of parsed log lines, in any order."""
    sessions: dict[int, list[tuple[int, int, str, float | None]]] = {}
    plays: Counter[str] = Counter()
    hours: Counter[int] = Counter()
    days: set[int] = set()
    paid = total = 0
    for event in events:
        at, page = event["ts"], event["page"]
        sessions.setdefault(event["sessionId"], []).append(
            (event["itemInSession"], at, page, event["length"])
        )
        hours[at // 3_600_000 % 24] += 1
        days.add(at // 86_400_000)
        total += 1
        paid += event["level"] == "paid"
        if event["userId"]:
            plays[event["userId"]] += page == "NextSong"
    pages: Counter[str] = Counter()
    transitions: Counter[tuple[str, str]] = Counter()
    gaps: list[float] = []
    for session in sessions.values():
        session.sort()
        pages.update(page for _, _, page, _ in session)
        transitions.update((before[2], after[2]) for before, after in pairwise(session))
        transitions[session[-1][2], END] += 1
        gaps += [
            (after[1] - before[1]) / 1000 - before[3]
            for before, after in pairwise(session)
            if before[2] == "NextSong" and before[3] is not None
        ]
    lengths = [item[3] for session in sessions.values() for item in session if item[3] is not None]
    span = max(days) - min(days) + 1 if days else 1
    return Profile(
        events=total,
        pages=pages,
        transitions=transitions,
        hours=hours,
        session_lengths=np.array([len(session) for session in sessions.values()], float),
        song_gaps=np.array(gaps),
        song_lengths=np.array(lengths),
        plays=np.array(list(plays.values()), float) / span,
        paid=paid / total if total else 0.0,
    )


def distances(one: Profile, other: Profile) -> list[Distance]:
    """Return every distance with its bound; the simulator guarantees the first five bounds."""
    tv, ks = "total variation", "Kolmogorov-Smirnov"
    return [
        Distance("page mix", tv, total_variation(one.pages, other.pages), 0.02),
        Distance("page to page", tv, total_variation(one.transitions, other.transitions), 0.05),
        Distance(
            "events per session", ks, kolmogorov_smirnov(one.session_lengths, other.session_lengths), 0.10
        ),
        Distance("gap after a song", ks, kolmogorov_smirnov(one.song_gaps, other.song_gaps), 0.10),
        Distance("song length", ks, kolmogorov_smirnov(one.song_lengths, other.song_lengths), 0.10),
        Distance("paid events", "difference", abs(one.paid - other.paid), 0.05),
        Distance("plays per user", ks, kolmogorov_smirnov(one.plays, other.plays), 0.12),
        Distance("hour of day", tv, total_variation(one.hours, other.hours), 0.05),
    ]


def total_variation(one: Mapping[Any, int], other: Mapping[Any, int]) -> float:
    """Return half the sum of absolute differences of the two frequencies."""
    ones, others = sum(one.values()) or 1, sum(other.values()) or 1
    keys: set[Hashable] = {*one, *other}
    return sum(abs(one.get(key, 0) / ones - other.get(key, 0) / others) for key in keys) / 2


def kolmogorov_smirnov(one: Floats, other: Floats) -> float:
    """Return the largest difference of the two distribution functions; 1 when one sample is empty."""
    if not len(one) or not len(other):
        return 1.0
    one, other = np.sort(one), np.sort(other)
    points = np.concatenate([one, other])
    below = np.searchsorted(one, points, side="right") / len(one)
    others = np.searchsorted(other, points, side="right") / len(other)
    return float(np.abs(below - others).max())
