"""Events as JSON lines, byte for byte in the real logs' form.

A line is made of twelve fragments, and a fragment is a number in a table. What depends on songs, pages,
names, places and user agents stands there from the start; each window of events puts its sessions, users and
times after it. Per event only numbers are computed; the line itself is never formatted, only joined.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from json.encoder import encode_basestring_ascii

import numpy as np
import numpy.typing as npt

from sparkify.simulator.catalogue import Catalogue
from sparkify.simulator.draws import Integers
from sparkify.simulator.machine import CANCELLED_FREE, GUEST, NEXT_SONG, OUT_FREE, PAID, Machine, State
from sparkify.simulator.people import People, first_names, user_agents, words
from sparkify.simulator.simulation import Events

Numbers = npt.NDArray[np.int32]

# So few that their text and the fragments in use stay in the processor's cache.
_AT_ONCE = 200
# So few that their numbers do.
_BLOCK = 16 * _AT_ONCE
_FRAGMENTS = 12
# A time is two fragments: what it shares with the others of ten seconds, and four digits.
_TEN_SECONDS = 10_000


def encode_text(value: str | None) -> bytes:
    r"""Return a JSON string as the app writes it: ASCII only, ``/`` as ``\/``; None is null."""
    text = "null" if value is None else encode_basestring_ascii(value)
    return text.replace("/", "\\/").encode()


class _Table:
    """Fragments by number."""

    def __init__(self) -> None:
        self._fragments = np.empty(0, object)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, fragments: Sequence[bytes]) -> int:
        """Add fragments; return the number of the first."""
        first, self._count = self._count, self._count + len(fragments)
        if self._count > len(self._fragments):
            # Room for the next window, which may be a little larger.
            room = np.empty(2 * len(fragments), object)
            self._fragments = np.concatenate([self._fragments[:first], room])
        self._fragments[first : self._count] = fragments
        return first

    def cut(self, count: int) -> None:
        """Keep the first ``count`` fragments."""
        self._count = count

    def take(self, numbers: Numbers) -> list[bytes]:
        """Return the fragments with these numbers."""
        found: list[bytes] = self._fragments.take(numbers).tolist()
        return found


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
        self._states = len(machine.states)
        # A song is played on one page, which comes after those of the states.
        pages = [_page_fragment(state) for state in machine.states]
        pages.append(_page_fragment(_singing(machine)))
        distinct = list(dict.fromkeys(pages))
        self._page = np.array([distinct.index(page) for page in pages], np.int32)
        lists = words()["people"]
        # The last of each is for those who are logged out; of the names the last but one, before guests.
        names = [
            f'"auth":"{auth}","firstName":{json.dumps(n)},"gender":"{g}"'
            for auth in ("Logged In", "Cancelled")
            for n, g in first_names()
        ]
        names += [f'"auth":"{auth}","firstName":null,"gender":null' for auth in ("Logged Out", "Guest")]
        families = [*lists["family"], None]
        metros = [encode_text(metro) for metro in [*lists["metros"], None]]
        places = [
            b'"%s","location":%s,"method":%s' % (level, metro, page)
            for level in (b"free", b"paid")
            for metro in metros
            for page in distinct
        ]
        agents = [encode_text(form) for agent in user_agents() for form in (agent, f'"{agent}"')]
        agents.append(b"null")
        self._counts = len(names) - 1, len(families), len(metros), len(agents)
        self._pages = len(distinct)
        self._table = table = _Table()
        self._artist, self._length, self._song = map(table.add, _row_fragments(machine, catalogue, tag))
        self._first = table.add([name.encode() + b',"itemInSession":' for name in names])
        self._family = table.add([encode_text(family) + b',"length":' for family in families])
        self._place = table.add(places)
        self._agent = table.add([b',"userAgent":%s,"userId":"' % agent for agent in agents])
        self._digits = table.add([b"%04d" % i for i in range(_TEN_SECONDS)])
        self._fixed = len(table)
        self._items: list[bytes] = []

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
        """Yield the fragments of every line, one line after the other, some hundred lines at once."""
        step = _AT_ONCE * _FRAGMENTS
        for numbers in self._numbers(events):
            for low in range(0, len(numbers), step):
                yield self._table.take(numbers[low : low + step])

    def _numbers(self, events: Events) -> Iterator[Numbers]:
        """Yield the fragments of one block of events after the other by their numbers.

        The window's own fragments are put into the table first.
        """
        used, stretch = _compact(events)
        user, group = events.user[used], events.group[used]
        outside = (group >= OUT_FREE) & (group < CANCELLED_FREE)
        first, family, place, agent = self._listener_numbers(user, outside, group & PAID != 0)
        first += np.where(outside, group == GUEST, (group >= CANCELLED_FREE) * len(first_names()))
        self._table.cut(self._fixed)
        sessions = self._table.add(self._session_fragments(user, events.session[used], outside))
        ids = zip((user + self._first_id).tolist(), outside.tolist(), strict=True)
        users = self._table.add([b'"}\n' if out else b'%d"}\n' % number for number, out in ids])
        items = self._table.add(self._item_fragments(int(events.item.max(initial=-1)) + 1))
        seconds, digits = np.divmod(events.at + self._start, _TEN_SECONDS)
        later = np.diff(seconds, prepend=-1) > 0
        times = self._table.add([b',"ts":%d' % second for second in seconds[later].tolist()])

        # What is the same for all of a stretch, and where the tables of the others begin; by stretch, then by
        # event: to fetch a row at once is cheaper than a number at a time.
        count = np.arange(len(used))
        common = np.empty((len(used), _FRAGMENTS), np.int32)
        begin: list[int | Integers | Numbers] = [self._artist, first, items, family, self._length, place]
        begin += [count + sessions, self._song, times - 1, self._digits, agent, count + users]
        for column, start in enumerate(begin):
            common[:, column] = start
        page = self._page[np.minimum(events.row, self._states)]
        time = np.cumsum(later, dtype=np.int32)
        digits = digits.astype(np.int32)
        for low in range(0, len(events), _BLOCK):
            block = slice(low, low + _BLOCK)
            grid = common.take(stretch[block], axis=0)
            for column in (0, 4, 7):
                grid[:, column] += events.row[block]
            for column, numbers in ((2, events.item), (5, page), (8, time), (9, digits)):
                grid[:, column] += numbers[block]
            yield grid.ravel()

    def _listener_numbers(
        self, user: npt.NDArray[np.intp], outside: npt.NDArray[np.bool_], paid: npt.NDArray[np.bool_]
    ) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """Return the fragments of name, family name, place (with the first page) and user agent."""
        people = self._people
        first, family, metro, agent = (
            np.where(outside, np.int32(count - 1), column[user])
            for column, count in zip(
                (people.first, people.family, people.metro, people.agent), self._counts, strict=True
            )
        )
        place = metro + np.where(paid, np.int32(self._counts[2]), np.int32(0))
        return (
            first + self._first,
            family + self._family,
            place * self._pages + self._place,
            agent + self._agent,
        )

    def _session_fragments(
        self, user: npt.NDArray[np.intp], session: npt.NDArray[np.int32], outside: npt.NDArray[np.bool_]
    ) -> list[bytes]:
        people = self._people
        # Ids are unique without a common counter: each listener has every len(people)-th number.
        numbers = (user + 1 + session.astype(np.int64) * len(people)).tolist()
        registered = (people.registered[user] + self._start).tolist()
        return [
            b'null,"sessionId":%d,"song":' % number
            if out
            else b'%d.0,"sessionId":%d,"song":' % (since, number)
            for number, since, out in zip(numbers, registered, outside.tolist(), strict=True)
        ]

    def _item_fragments(self, count: int) -> list[bytes]:
        known = len(self._items)
        self._items += [b'%d,"lastName":' % item for item in range(known, count)]
        return self._items[:count]


def _compact(events: Events) -> tuple[Integers, Numbers]:
    """Return the stretches that occur, and each event's index among them."""
    seen = np.zeros(len(events.user), np.bool_)
    seen[events.stretch] = True
    used = np.flatnonzero(seen)
    place = np.empty(len(seen), np.int32)
    place[used] = np.arange(len(used))
    return used, place[events.stretch]


def _singing(machine: Machine) -> State:
    return next(state for state in machine.states if state.page == NEXT_SONG)


def _page_fragment(state: State) -> bytes:
    return b'"%s","page":%s,"registration":' % (state.method.encode(), encode_text(state.page))


def _row_fragments(machine: Machine, catalogue: Catalogue, tag: str) -> tuple[list[bytes], ...]:
    """Return the fragments of every row: artist, length, song."""
    extra = b',"tag":' + encode_text(tag) if tag else b""
    songs = catalogue.songs
    artists = [b'{"artist":null,'] * len(machine.states)
    artists += [b'{"artist":%s,' % encode_text(song.artist) for song in songs]
    lengths = [b'null,"level":'] * len(machine.states)
    lengths += [b'%s,"level":' % repr(song.length).encode() for song in songs]
    titles = [b'null,"status":%d%s' % (state.status, extra) for state in machine.states]
    status = _singing(machine).status
    titles += [b'%s,"status":%d%s' % (encode_text(song.title), status, extra) for song in songs]
    return artists, lengths, titles
