"""Events as JSON lines, byte for byte in the real logs' form.

A line is made of eleven fragments. Those that depend on the song or page are made once, those that depend on
the listener once for each stretch, the few others per event; the line itself is never formatted, only joined.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from json.encoder import encode_basestring_ascii
from typing import Any

import numpy as np
import numpy.typing as npt

from sparkify.simulator.catalogue import Catalogue
from sparkify.simulator.draws import Integers
from sparkify.simulator.engine import Events
from sparkify.simulator.machine import NEXT_SONG, OUT_FREE, PAID, Machine
from sparkify.simulator.people import People, first_names, user_agents, words

Fragments = npt.NDArray[np.object_]

# So few that the fragments in use stay in the processor's cache: 20,000 take twice as long each.
_AT_ONCE = 2_000
_FRAGMENTS = 11
# A time is put together of its key, one digit and three times four digits, each four one number of 32 bits.
_STAMP = np.dtype([("key", "S6"), ("first", "u1"), ("high", "u4"), ("middle", "u4"), ("low", "u4")])
_FOURS = np.array([b"%04d" % i for i in range(10**4)]).view(np.uint32)


def encode_text(value: str | None) -> bytes:
    r"""Return a JSON string as the app writes it: ASCII only, ``/`` as ``\/``; None is null."""
    text = "null" if value is None else encode_basestring_ascii(value)
    return text.replace("/", "\\/").encode()


def _table(fragments: Sequence[bytes]) -> Fragments:
    table = np.empty(len(fragments), object)
    table[:] = fragments
    return table


class Encoder:
    """Turns events into lines.

    Args:
        machine: The states.
        catalogue: The songs.
        people: The listeners.
        first_id: userId of the first listener.
        start: Midnight of the first day, ms since 1970.
        tag: Value of an extra field ``tag`` in every line; empty for none.
    """

    def __init__(
        self, machine: Machine, catalogue: Catalogue, people: People, *, first_id: int, start: int, tag: str
    ) -> None:
        self._people = people
        self._first_id = first_id
        self._start = start
        self._items = _table([])
        self._rows = _row_fragments(machine, catalogue, tag)
        lists = words()["people"]
        out = 'null,"gender":null'
        names = [*(f'{json.dumps(name)},"gender":"{gender}"' for name, gender in first_names()), out]
        self._first = _pairs(
            ['"auth":"Logged In","firstName":', '"auth":"Logged Out","firstName":'],
            [name + ',"itemInSession":' for name in names],
        )
        self._family = _table([encode_text(name) + b',"length":' for name in [*lists["family"], None]])
        metros = [encode_text(metro).decode() for metro in [*lists["metros"], None]]
        self._place = _pairs(['"free","location":', '"paid","location":'], [m + ',"method":' for m in metros])
        agents = [text for agent in user_agents() for text in (agent, f'"{agent}"')]
        self._agent = [b',"userAgent":' + encode_text(agent) + b',"userId":"%d"}\n' for agent in agents]

    def lines(self, events: Events) -> list[bytes]:
        """Return one line an event, each with its line break."""
        return [
            b"".join(fragments[i : i + _FRAGMENTS])
            for fragments in self._fragments(events)
            for i in range(0, len(fragments), _FRAGMENTS)
        ]

    def texts(self, events: Events) -> Iterator[bytes]:
        """Yield the lines in chunks of text."""
        for fragments in self._fragments(events):
            yield b"".join(fragments)

    def _fragments(self, events: Events) -> Iterator[list[bytes]]:
        """Yield the fragments of every line, one line after the other, some thousand lines at once."""
        used, stretches = _compact(events)
        before, after, place, session, agent = self._stretch_fragments(events, used)
        if events.item.max(initial=0) >= len(self._items):
            self._items = _table([b'%d,"lastName":' % i for i in range(2 * int(events.item.max()) + 64)])
        for low in range(0, len(events), _AT_ONCE):
            part = slice(low, low + _AT_ONCE)
            stretch = stretches[part]
            rows = self._rows[events.row[part]]
            grid = np.empty((len(stretch), _FRAGMENTS), object)
            grid[:, 0] = rows[:, 0]
            grid[:, 1] = before[stretch]
            grid[:, 2] = self._items[events.item[part]]
            grid[:, 3] = after[stretch]
            grid[:, 4] = rows[:, 1]
            grid[:, 5] = place[stretch]
            grid[:, 6] = rows[:, 2]
            grid[:, 7] = session[stretch]
            grid[:, 8] = rows[:, 3]
            grid[:, 9] = _times(events.at[part] + self._start)
            grid[:, 10] = agent[stretch]
            yield grid.ravel().tolist()

    def _stretch_fragments(self, events: Events, used: Integers) -> tuple[Fragments, ...]:
        """Return the five fragments of the stretches in use: names before and after the item, and so on."""
        user = events.user[used]
        group = events.group[used]
        outside = group >= OUT_FREE
        people = self._people
        first = np.where(outside, self._first.shape[1] - 1, people.first[user])
        family = np.where(outside, len(self._family) - 1, people.family[user])
        metro = np.where(outside, self._place.shape[1] - 1, people.metro[user])
        level = group % OUT_FREE == PAID
        return (
            self._first[outside.astype(np.intp), first],
            self._family[family],
            self._place[level.astype(np.intp), metro],
            *self._session_fragments(events, used, user, outside),
        )

    def _session_fragments(
        self, events: Events, used: Integers, user: npt.NDArray[np.intp], outside: npt.NDArray[np.bool_]
    ) -> tuple[Fragments, Fragments]:
        people = self._people
        # Ids are unique without a common counter: each listener has every len(people)-th number.
        numbers = (user + 1 + events.session[used].astype(np.int64) * len(people)).tolist()
        registered = (people.registered[user] + self._start).tolist()
        ids = (user + self._first_id).tolist()
        agents = people.agent[user].tolist()
        session = [
            b'null,"sessionId":%d,"song":' % number
            if out
            else b'%d.0,"sessionId":%d,"song":' % (since, number)
            for number, since, out in zip(numbers, registered, outside.tolist(), strict=True)
        ]
        agent = [
            b',"userAgent":null,"userId":""}\n' if out else self._agent[kind] % number
            for kind, number, out in zip(agents, ids, outside.tolist(), strict=True)
        ]
        return _table(session), _table(agent)


def _compact(events: Events) -> tuple[Integers, Integers]:
    """Return the stretches that occur, and each event's index among them."""
    seen = np.zeros(len(events.user), np.bool_)
    seen[events.stretch] = True
    used = np.flatnonzero(seen)
    place = np.empty(len(seen), np.int64)
    place[used] = np.arange(len(used))
    return used, place[events.stretch]


def _row_fragments(machine: Machine, catalogue: Catalogue, tag: str) -> npt.NDArray[Any]:
    """Return the four fragments of every row: artist, length, page, song."""
    extra = b',"tag":' + encode_text(tag) if tag else b""
    rows = np.empty((len(machine.states) + len(catalogue.songs), 4), object)
    singing = machine.states[0]
    for index, state in enumerate(machine.states):
        page = b'"%s","page":%s,"registration":' % (state.method.encode(), encode_text(state.page))
        rows[index] = [
            b'{"artist":null,',
            b'null,"level":',
            page,
            b'null,"status":%d%s' % (state.status, extra),
        ]
        if state.page == NEXT_SONG:
            singing = state
    page = b'"%s","page":"NextSong","registration":' % singing.method.encode()
    for index, song in enumerate(catalogue.songs, len(machine.states)):
        rows[index] = [
            b'{"artist":%s,' % encode_text(song.artist),
            b'%s,"level":' % repr(song.length).encode(),
            page,
            b'%s,"status":%d%s' % (encode_text(song.title), singing.status, extra),
        ]
    return rows


def _pairs(prefixes: Sequence[str], suffixes: Sequence[str]) -> Fragments:
    table = np.empty((len(prefixes), len(suffixes)), object)
    for i, prefix in enumerate(prefixes):
        table[i] = [(prefix + suffix).encode() for suffix in suffixes]
    return table


def _times(ts: Integers) -> npt.NDArray[np.bytes_]:
    """Return ``,"ts":1541105830796`` for each; 13 digits reach from 2001 to 2286."""
    text = np.empty(len(ts), _STAMP)
    # Dividing 32 bits is several times faster than dividing 64.
    five, eight = (half.astype(np.uint32) for half in np.divmod(ts, 10**8))
    first, middle = five // np.uint32(10**4), eight // np.uint32(10**4)
    text["key"] = b',"ts":'
    text["first"] = first + np.uint32(ord("0"))
    text["high"] = _FOURS[five - first * np.uint32(10**4)]
    text["middle"] = _FOURS[middle]
    text["low"] = _FOURS[eight - middle * np.uint32(10**4)]
    return text.view(f"S{_STAMP.itemsize}")
