"""Who leaves, and why: the hazard of each listener, which what they meet in the app raises and lowers.

The formula stands at the head of ``churn.toml``. The hazard changes at the end of a session only, where the
listener may leave; :meth:`Churn.truth` says what it was and when, for those who judge a guess.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from sparkify.simulator.arrivals import DAY
from sparkify.simulator.config import Leaving
from sparkify.simulator.draws import Bits, Floats, Integers, Places, high_bits, more, places
from sparkify.simulator.machine import GROUP, LAST, OUT_FREE, Machine
from sparkify.simulator.people import People

_States = npt.NDArray[np.int16]
_BITS = 32
_THUMBS = ("Thumbs Up", "Thumbs Down")
_NONE = -1
# Digits of a hazard in the truth: libraries differ in the last ones of an exponential.
_DIGITS = 9


class Churn:
    """The moods of all listeners, and what became of them."""

    def __init__(self, leaving: Leaving, machine: Machine, people: People, per_day: float) -> None:
        self._leaving = leaving
        self._machine = machine
        # What is seen logged out nobody could find in the logs.
        self._weights = np.array(
            [leaving.reasons.get(s.page, 0.0) if s.group < OUT_FREE else 0.0 for s in machine.states]
        )
        up, down = ([n for n, s in enumerate(machine.states) if s.page == page] for page in _THUMBS)
        self._other_thumb = np.full(len(machine.traits), _NONE, np.int16)
        self._other_thumb[up] = down
        # Bits no stream comes to: the streams begin with the keys themselves.
        self._dislike = _share(~people.key) ** leaving.taste
        self._base = leaving.base * (per_day / people.rate) ** leaving.rarity
        self._mood = np.zeros(len(people))
        self._met = np.zeros(len(people))
        self._begun = np.maximum(people.registered, 0)
        self._since = self._begun.copy()
        self._left = np.full(len(people), -1, np.int64)
        # Who, when and the hazard from then on, in the order in which they were found.
        self._changes: list[tuple[npt.NDArray[np.int32], Integers, Floats]] = []

    def turn(self, who: Places, listeners: npt.NDArray[np.void], following: _States, bits: Bits) -> None:
        """Add what ``listeners``, number ``who``, met; change what is ``following``.

        Some Thumbs Up turn into Thumbs Down, some ends of sessions into Cancel.
        """
        thumbs = places(self._other_thumb[following] != _NONE)
        down = thumbs[_share(bits[thumbs]) < self._dislike[who[thumbs]]]
        following[down] = self._other_thumb[following[down]]
        met = self._weights[listeners["state"]]
        touched = places(met != 0)
        self._met[who[touched]] += met[touched]
        ends = places(following == self._machine.end)
        if not ends.size:
            return
        now, traits, person = listeners["at"][ends], listeners["traits"][ends], who[ends]
        gone = traits & LAST != 0
        self._left[person[gone]] = now[gone]
        self._mood[person] = self._leaving.memory * self._mood[person] + self._met[person]
        self._met[person] = 0
        hazard = self._hazard(person)
        stay = places(~gone)
        self._changes.append((person[stay].astype(np.int32), now[stay], hazard[stay]))
        inside = places(~gone & (traits & GROUP < OUT_FREE))
        person, now, hazard = person[inside], now[inside], hazard[inside]
        chance = -np.expm1(hazard * (self._since[person] - now) / DAY)
        self._since[person] = now
        leaves = inside[_share(bits[ends[inside]]) < chance]
        following[ends[leaves]] = self._machine.cancel[traits[leaves] & GROUP]

    def _hazard(self, person: Places) -> Floats:
        found: Floats = np.minimum(self._base[person] * np.exp(self._mood[person]), self._leaving.most)
        return found

    def left(self) -> int:
        """Return how many have left."""
        return int(np.count_nonzero(self._left >= 0))

    def truth(self, first_id: int, start: int) -> Iterator[str]:
        """Yield the listeners' entries in ``truth.json``: ids from ``first_id``, times from ``start`` on."""
        everyone = np.arange(len(self._begun))
        first = np.minimum(self._base, self._leaving.most)
        changes = [(everyone.astype(np.int32), self._begun, first), *self._changes]
        who, at, hazard = (np.concatenate(column) for column in zip(*changes, strict=True))
        order = np.lexsort((at, who))
        pairs = zip((at[order] + start).tolist(), hazard[order].round(_DIGITS).tolist(), strict=True)
        counts = np.bincount(who, minlength=len(everyone)).tolist()
        for index, (count, left) in enumerate(zip(counts, self._left.tolist(), strict=True)):
            entry = {
                "left": left + start if left >= 0 else None,
                "hazard": [list(next(pairs)) for _ in range(count)],
            }
            yield f"{json.dumps(str(first_id + index))}: {json.dumps(entry)}"


def _share(bits: Bits) -> Floats:
    """Return a number from 0 up to 1 for each, from bits that decide nothing else."""
    found: Floats = high_bits(more(bits), _BITS) / (1 << _BITS)
    return found
