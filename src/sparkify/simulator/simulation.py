"""The simulation itself: every listener's state, and the step that moves thousands of them on by one event.

Time runs in windows. Within a window every listener who has an event in it emits it and moves on to the
next, all at once, until none is left. What is kept between windows is one row of numbers a listener: memory
grows with listeners and with the events of a window, never with the length of the simulation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparkify.simulator.arrivals import NEVER, Arrivals
from sparkify.simulator.catalogue import Catalogue
from sparkify.simulator.churn import Churn
from sparkify.simulator.config import Parameters
from sparkify.simulator.draws import (
    GAPS_SHIFT,
    Bits,
    Integers,
    choices,
    drawn,
    exponential,
    high_bits,
    log_normal_gaps,
    low_bits,
    more,
    places,
)
from sparkify.simulator.machine import ENDS, FREE, GROUP, LAST, PAID, REDIRECTS, SINGS, Machine
from sparkify.simulator.people import People

_Index = npt.NDArray[np.intp]
# All that is known of a listener, side by side: a step fetches and puts back a line of memory a listener, not
# eight. ``at`` and what follows ``song_ends`` are of the event that comes next; ``stretch`` is -1 when a new
# one begins with it.
_LISTENER = np.dtype(
    [
        ("stream", np.uint64),
        ("at", np.int64),
        ("song_ends", np.int64),
        ("row", np.int32),
        ("item", np.int32),
        ("session", np.int32),
        ("stretch", np.int32),
        ("state", np.int16),
        ("traits", np.uint8),
    ],
    align=True,
)
_Listeners = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Events:
    """The events of one window in the order of time, in columns; and the stretches they belong to.

    A *stretch* is the part of a session during which nothing about the listener changes: not the level,
    not being logged in.

    Attributes:
        at: Milliseconds from the start of the simulation.
        stretch: Index into the stretches.
        item: itemInSession.
        row: The state when it is no song, else the number of states plus the song.
        user: By stretch: the listener.
        session: By stretch: the ordinal of the listener's session, from 0.
        group: By stretch: the group of states (see :mod:`machine`).
    """

    at: Integers
    stretch: npt.NDArray[np.int32]
    item: npt.NDArray[np.int32]
    row: npt.NDArray[np.int32]
    user: _Index
    session: npt.NDArray[np.int32]
    group: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.at)

    def between(self, first: int, last: int) -> Events:
        """Return the events with ``first <= at < last``; the stretches stay as they are."""
        low, high = np.searchsorted(self.at, [first, last])
        return self.part(int(low), int(high))

    def part(self, low: int, high: int) -> Events:
        """Return the events number ``low`` to ``high - 1``."""
        return Events(
            self.at[low:high],
            self.stretch[low:high],
            self.item[low:high],
            self.row[low:high],
            self.user,
            self.session,
            self.group,
        )


class Simulation:
    """All listeners, each with the event that comes next."""

    def __init__(
        self,
        parameters: Parameters,
        machine: Machine,
        people: People,
        catalogue: Catalogue,
        arrivals: Arrivals,
    ) -> None:
        self._machine = machine
        self._people = people
        self._arrivals = arrivals
        # Some sixteen places a song, so that the rarest are played too.
        self._song_bits = min(max(18, (16 * len(catalogue.songs)).bit_length()), 24)
        self._popularity = choices(
            catalogue.popularity, 1 << self._song_bits, np.arange(len(catalogue.songs) + 1, dtype=np.int32)
        )
        self._length = catalogue.milliseconds()
        self._gaps = log_normal_gaps(parameters.gaps.log_mean, parameters.gaps.log_deviation)
        self._redirect = parameters.gaps.redirect_seconds * 1000
        self._pause = int(parameters.sessions.minimum_gap_minutes * 60_000)
        self._waits = exponential()
        leaving = parameters.leaving
        self.churn = None if leaving is None else Churn(leaving, machine, people, parameters.sessions.per_day)

        self._all = np.zeros(len(people), _LISTENER)
        self._all["stream"] = people.key
        self._begin_all()

    def _begin_all(self) -> None:
        everyone = np.arange(len(self._people))
        bits = _bits(self._all)
        level = np.where(self._people.paid, PAID, FREE)
        after = np.maximum(self._people.registered, 0)
        then, following = self._begin(everyone, after, level, bits)
        if self.churn is not None:
            # Newcomers register in a first session of their own; who registered is free.
            new = places(self._people.registered >= 0)
            then[new] = np.maximum(self._people.registered[new] - self._redirect, 0)
            following[new] = self._machine.register
        self._put(self._all, then, following, self._machine.traits[following], bits)

    def advance(self, until: int) -> Events:
        """Emit every event before ``until`` (ms from the start) that has not been emitted yet."""
        columns: list[tuple[npt.NDArray[np.generic], ...]] = []
        stretches: list[tuple[npt.NDArray[np.generic], ...]] = []
        known = 0
        for who, listeners in self._steps(until):
            stretch = listeners["stretch"]
            new = places(stretch < 0)
            if new.size:
                stretch[new] = np.arange(known, known + new.size)
                known += new.size
                group = listeners["traits"][new] & GROUP
                stretches.append((who[new], listeners["session"][new], group))
            columns.append(tuple(listeners[name].copy() for name in ("at", "stretch", "item", "row")))
        return _sorted(columns, stretches)

    def _steps(self, until: int) -> Iterator[tuple[_Index, _Listeners]]:
        """Yield the listeners who have an event before ``until``, each time with the next one.

        They are worked on in a copy, where few lie close together, and are put back when they are through.
        """
        who = places(self._all["at"] < until)
        listeners = self._all.take(who)
        listeners["stretch"] = -1
        while who.size:
            yield who, listeners
            self._move(who, listeners)
            stays = listeners["at"] < until
            if not stays.all():
                through = places(~stays)
                self._all.put(who[through], listeners.take(through))
                stay = places(stays)
                who, listeners = who[stay], listeners.take(stay)

    def _move(self, who: _Index, listeners: _Listeners) -> None:
        """Give each of ``listeners``, number ``who``, the next event, in this session or in a new one."""
        machine = self._machine
        bits = _bits(listeners)
        now, state, song_ends = listeners["at"], listeners["state"], listeners["song_ends"]
        following = machine.step(state, bits)
        if self.churn is not None:
            self.churn.turn(who, listeners, following, bits)
        # The next song waits for the end of this one, whatever is clicked meanwhile.
        traits = machine.traits.take(following)
        waits = (traits & SINGS != 0) & (song_ends > now)
        then = np.where(waits, song_ends, now + self._gaps[low_bits(bits) >> GAPS_SHIFT])
        at_once = places(traits & REDIRECTS != 0)
        then[at_once] = now[at_once] + self._redirect
        listeners["item"] += 1
        over = places(traits & ENDS != 0)
        if over.size:
            before = listeners["traits"][over]
            then[over], following[over] = self._begin(
                who[over], now[over] + self._pause, before & PAID, more(bits[over])
            )
            then[over[before & LAST != 0]] = NEVER
            traits[over] = machine.traits[following[over]]
            song_ends[over] = 0
            listeners["session"][over] += 1
            listeners["item"][over] = 0
            listeners["stretch"][over] = -1
        changed = (traits ^ listeners["traits"]) & GROUP != 0
        listeners["stretch"][changed] = -1
        self._put(listeners, then, following, traits, bits)

    def _begin(
        self, who: _Index, after: Integers, level: npt.NDArray[np.generic], bits: Bits
    ) -> tuple[Integers, npt.NDArray[np.int16]]:
        """Return when each next session begins, and with which state."""
        wait = self._waits[low_bits(bits)] / self._people.rate[who]
        then = self._arrivals.after(after, wait)
        then[then > self._people.leaves[who]] = NEVER
        return then, self._machine.step((level + self._machine.begin).astype(np.int16), bits)

    def _put(
        self,
        listeners: _Listeners,
        then: Integers,
        following: npt.NDArray[np.int16],
        traits: npt.NDArray[np.uint8],
        bits: Bits,
    ) -> None:
        """Store each listener's next event, and choose the song if it is a play."""
        listeners["at"], listeners["state"], listeners["traits"] = then, following, traits
        listeners["row"] = following
        singing = places(traits & SINGS != 0)
        song = self._popularity[high_bits(bits[singing], self._song_bits)]
        listeners["row"][singing] = song + len(self._machine.states)
        listeners["song_ends"][singing] = then[singing] + self._length[song]


def _bits(listeners: _Listeners) -> Bits:
    """Return random bits for each listener, and advance the streams."""
    bits, listeners["stream"] = drawn(listeners["stream"])
    return bits


def _sorted(
    columns: list[tuple[npt.NDArray[np.generic], ...]], stretches: list[tuple[npt.NDArray[np.generic], ...]]
) -> Events:
    if not columns:
        nothing = np.zeros(0, np.int64)
        return Events(nothing, nothing, nothing, nothing, nothing, nothing, nothing)  # type: ignore[arg-type]
    at, stretch, item, row = (np.concatenate(column) for column in zip(*columns, strict=True))
    user, session, group = (np.concatenate(column) for column in zip(*stretches, strict=True))
    # Time above, place below: sorting values is several times faster than a stable argsort. Of one
    # listener's events at the same time the earlier item was emitted first.
    bits = len(at).bit_length()
    order = np.sort((at - at.min() << bits) | np.arange(len(at))) & ((1 << bits) - 1)
    return Events(at[order], stretch[order], item[order], row[order], user, session, group)
