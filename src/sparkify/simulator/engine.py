"""The simulation itself: every listener's state, and the step that moves thousands of them on by one event.

Time runs in windows. Within a window every listener who has an event in it emits it and moves on to the
next, all at once, until none is left. What is kept between windows is one row of numbers a listener: memory
grows with listeners and with the events of a window, never with the length of the simulation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparkify.simulator.arrivals import NEVER, Arrivals
from sparkify.simulator.catalogue import Catalogue
from sparkify.simulator.config import Parameters
from sparkify.simulator.draws import (
    Bits,
    Integers,
    choices,
    exponential,
    hashed,
    high_bits,
    log_normal_gaps,
    low_bits,
    moved,
)
from sparkify.simulator.machine import FREE, OUT_FREE, PAID, Machine
from sparkify.simulator.people import People

_Index = npt.NDArray[np.intp]


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
    stretch: Integers
    item: npt.NDArray[np.int32]
    row: npt.NDArray[np.int32]
    user: _Index
    session: npt.NDArray[np.int32]
    group: npt.NDArray[np.int8]

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
        self._popularity = choices(catalogue.popularity, 1 << self._song_bits).astype(np.int32)
        self._length = catalogue.milliseconds()
        self._gaps = log_normal_gaps(parameters.gaps.log_mean, parameters.gaps.log_deviation)
        self._redirect = parameters.gaps.redirect_seconds * 1000
        self._pause = int(parameters.sessions.minimum_gap_minutes * 60_000)
        self._waits = exponential()

        count = len(people)
        self._stream: Bits = people.key.copy()
        self._at: Integers = np.zeros(count, np.int64)
        self._state = np.zeros(count, np.int16)
        self._row = np.zeros(count, np.int32)
        self._item = np.zeros(count, np.int32)
        self._session = np.zeros(count, np.int32)
        self._song_ends: Integers = np.zeros(count, np.int64)
        self._stretch: Integers = np.zeros(count, np.int64)
        self._begin_all()

    def _begin_all(self) -> None:
        everyone = np.arange(len(self._people))
        bits = self._bits(everyone)
        level = np.where(self._people.paid, PAID, FREE)
        after = np.maximum(self._people.registered, 0)
        self._at[:], self._state[:] = self._begin(everyone, after, level, bits)
        self._choose_songs(everyone, self._at, self._state, bits)

    def _bits(self, who: _Index) -> Bits:
        streams = self._stream[who]
        self._stream[who] = moved(streams)
        return hashed(streams)

    def skip(self, until: int) -> int:
        """Pass over every event before ``until`` (ms from the start); return how many there were."""
        live = np.flatnonzero(self._at < until)
        count = 0
        while live.size:
            count += live.size
            live = live[self._move(live, self._at[live]) < until]
        return count

    def advance(self, until: int) -> Events:
        """Emit every event before ``until`` (ms from the start) that has not been emitted yet."""
        live = np.flatnonzero(self._at < until)
        self._stretch[live] = -1
        columns: list[tuple[npt.NDArray[np.generic], ...]] = []
        stretches: list[tuple[npt.NDArray[np.generic], ...]] = []
        known = 0
        while live.size:
            new = live[self._stretch[live] < 0]
            if new.size:
                self._stretch[new] = np.arange(known, known + new.size)
                known += new.size
                stretches.append((new, self._session[new], self._machine.group[self._state[new]]))
            now = self._at[live]
            columns.append((now, self._stretch[live], self._item[live], self._row[live]))
            then = self._move(live, now)
            live = live[then < until]
        return _sorted(columns, stretches)

    def _move(self, who: _Index, now: Integers) -> Integers:
        """Give each of ``who`` the next event, in this session or in a new one; return when it is."""
        machine = self._machine
        bits = self._bits(who)
        state = self._state[who]
        following = machine.step(state, bits)
        # The next song waits for the end of this one, whatever is clicked meanwhile.
        song_ends = self._song_ends[who]
        waits = machine.sings[following] & (song_ends > now)
        then = np.where(waits, song_ends, now + self._gaps[low_bits(bits)])
        at_once = np.flatnonzero(machine.redirects[following])
        then[at_once] = now[at_once] + self._redirect
        self._item[who] += 1
        over = np.flatnonzero(following == machine.end)
        if over.size:
            ended = who[over]
            level = machine.group[state[over]] % OUT_FREE
            then[over], following[over] = self._begin(
                ended, now[over] + self._pause, level, hashed(bits[over])
            )
            self._session[ended] += 1
            self._item[ended] = 0
            self._stretch[ended] = -1
        changed = machine.group[following] != machine.group[state]
        self._stretch[who[changed]] = -1
        self._at[who] = then
        self._state[who] = following
        self._choose_songs(who, then, following, bits)
        return then

    def _begin(
        self, who: _Index, after: Integers, level: npt.NDArray[np.generic], bits: Bits
    ) -> tuple[Integers, npt.NDArray[np.int16]]:
        """Return when each next session begins, and with which state."""
        wait = self._waits[low_bits(bits)] / self._people.rate[who]
        then = self._arrivals.after(after, wait)
        then[then > self._people.leaves[who]] = NEVER
        self._song_ends[who] = 0
        return then, self._machine.step((level + self._machine.begin).astype(np.int16), bits)

    def _choose_songs(
        self, who: _Index, then: Integers, following: npt.NDArray[np.int16], bits: Bits
    ) -> None:
        self._row[who] = following
        singing = np.flatnonzero(self._machine.sings[following])
        song = self._popularity[high_bits(bits[singing], self._song_bits)]
        self._row[who[singing]] = song + len(self._machine.states)
        self._song_ends[who[singing]] = then[singing] + self._length[song]


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
    places = len(at).bit_length()
    order = np.sort((at - at.min() << places) | np.arange(len(at))) & ((1 << places) - 1)
    return Events(at[order], stretch[order], item[order], row[order], user, session, group)
