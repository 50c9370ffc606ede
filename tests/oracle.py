"""The warehouse in plain Python: what the tables must hold for given records, without SQL or a database.

Written from the contract and from the comments at the head of the models, never from what the code gives.
Where these words leave the choice open (the order of "the first by content") the order of the fields is
written down here, beside the rule it completes.

Rows are tuples in the order of :data:`COLUMNS`, tables are multisets. ``file_id`` is left out: it names a
file and says nothing of the data.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

Record = Mapping[str, Any]
Row = tuple[Any, ...]
Tables = dict[str, Counter[Row]]

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the warehouse's times are UTC and carry no zone

COLUMNS: dict[str, tuple[str, ...]] = {
    "staging_events": (
        *("artist", "auth", "first_name", "gender", "item_in_session", "last_name", "length", "level"),
        *("location", "method", "page", "registration", "session_id", "song", "status", "ts"),
        *("user_agent", "user_id", "extra"),
    ),
    "staging_songs": (
        *("num_songs", "artist_id", "artist_latitude", "artist_longitude", "artist_location"),
        *("artist_name", "song_id", "title", "duration", "year", "extra"),
    ),
    "songplays": (
        *("songplay_id", "start_time", "user_id", "level", "song_id", "artist_id", "session_id", "location"),
        *("user_agent", "item_in_session", "song_match", "song", "artist", "length"),
    ),
    "users": (
        *("user_id", "first_name", "last_name", "gender", "level", "last_seen_ts", "last_item_in_session"),
    ),
    "songs": ("song_id", "title", "artist_id", "year", "duration", "artist_name"),
    "artists": ("artist_id", "name", "location", "latitude", "longitude"),
    "time": ("start_time", "hour", "day", "week", "month", "year", "weekday"),
    "etl.days": (
        *("day", "events", "plays", "first_ts", "last_ts", "longest_gap_ms", "plays_without_title"),
        *("plays_without_artist", "plays_matched", "absent", "gap_within_ms"),
    ),
}
# Without them a record is rejected, so that none can be absent.
REQUIRED = {"item_in_session", "page", "session_id", "ts"}


def parse_records(data: bytes) -> list[dict[str, Any]]:
    """Return the JSON objects of a file's plain contents: one, many, or an array of them."""
    decoder = json.JSONDecoder()
    text = data.decode("utf-8-sig").strip()
    found: list[dict[str, Any]] = []
    while text:
        value, end = decoder.raw_decode(text)
        found += value if isinstance(value, list) else [value]
        text = text[end:].strip()
    return found


def expect(events: Iterable[Record], songs: Iterable[Record]) -> Tables:
    """Return every table for the records of all current files, in any order."""
    staging_events = [_event(record) for record in events]
    staging_songs = [_song_record(record) for record in songs]
    catalogue = _songs(staging_songs)
    plays = _songplays(staging_events, catalogue)
    return {
        "staging_events": _table("staging_events", staging_events),
        "staging_songs": _table("staging_songs", staging_songs),
        "songplays": _table("songplays", plays),
        "users": _table("users", _users(staging_events)),
        "songs": _table("songs", catalogue),
        "artists": _table("artists", _artists(staging_songs)),
        "time": _table("time", [_moment(start) for start in {play["start_time"] for play in plays}]),
        "etl.days": _table("etl.days", _days(staging_events, plays)),
    }


def _table(name: str, rows: Iterable[Record]) -> Counter[Row]:
    return Counter(tuple(row[column] for column in COLUMNS[name]) for row in rows)


# Staging: the record as delivered, every value in its column's type.


_EVENT_KEYS = (
    *("artist", "auth", "firstName", "gender", "itemInSession", "lastName", "length", "level", "location"),
    *("method", "page", "registration", "sessionId", "song", "status", "ts", "userAgent", "userId"),
)
_SONG_KEYS = (
    *("num_songs", "artist_id", "artist_latitude", "artist_longitude", "artist_location", "artist_name"),
    *("song_id", "title", "duration", "year"),
)


def _event(record: Record) -> dict[str, Any]:
    return {
        "artist": _text(record.get("artist")),
        "auth": _text(record.get("auth")),
        "first_name": _text(record.get("firstName")),
        "gender": _text(record.get("gender")),
        "item_in_session": record.get("itemInSession"),
        "last_name": _text(record.get("lastName")),
        "length": _double(record.get("length")),
        "level": _text(record.get("level")),
        "location": _text(record.get("location")),
        "method": _text(record.get("method")),
        "page": _key(record.get("page")),
        "registration": _double(record.get("registration")),
        "session_id": record.get("sessionId"),
        "song": _text(record.get("song")),
        "status": record.get("status"),
        "ts": record.get("ts"),
        "user_agent": _text(record.get("userAgent")),
        "user_id": _key(record.get("userId")),
        "extra": _extra(record, _EVENT_KEYS),
    }


def _song_record(record: Record) -> dict[str, Any]:
    return {
        "num_songs": record.get("num_songs"),
        "artist_id": _key(record.get("artist_id")),
        "artist_latitude": _double(record.get("artist_latitude")),
        "artist_longitude": _double(record.get("artist_longitude")),
        "artist_location": _text(record.get("artist_location")),
        "artist_name": _text(record.get("artist_name")),
        "song_id": _key(record.get("song_id")),
        "title": _text(record.get("title")),
        "duration": _double(record.get("duration")),
        "year": record.get("year"),
        "extra": _extra(record, _SONG_KEYS),
    }


def _extra(record: Record, known: Collection[str]) -> str | None:
    """Return the fields without a column that have a value, by their names; None: there are none."""
    others = {key: record[key] for key in sorted(record) if key not in known and record[key] is not None}
    return json.dumps(others, separators=(",", ":"), ensure_ascii=False) if others else None


def _text(value: Any) -> str | None:
    assert value is None or isinstance(value, str | int), value
    return None if value is None else str(value)


def _key(value: Any) -> str | None:
    """What names a user, page, song or artist: trailing blanks (U+0020 alone) are no part of it."""
    text = _text(value)
    return None if text is None else text.rstrip(" ")


def _double(value: Any) -> float | None:
    return None if value is None else float(value)


# The star.


def _known(text: str | None) -> str | None:
    """An empty string means unknown."""
    return text or None


def _trimmed(text: str | None) -> str | None:
    """Trailing blanks (U+0020 alone, as Redshift's comparisons have it) never matter in the star."""
    return None if text is None else _known(text.rstrip(" "))


def _unknown_last(*values: Any) -> tuple[tuple[bool, Any], ...]:
    """Sort by these values in turn; an unknown one comes after every known one."""
    return tuple((value is None, 0 if value is None else value) for value in values)


def _grouped(rows: Iterable[Record], *keys: str) -> dict[Any, list[Record]]:
    groups: dict[Any, list[Record]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys)].append(row)
    return groups


def _songs(records: Sequence[Record]) -> list[dict[str, Any]]:
    """One row per song_id: the most complete record (a year first, then a duration), then by content."""

    def rank(record: Record) -> Any:
        content = (_trimmed(record["title"]), _trimmed(record["artist_name"]))
        return (
            not (record["year"] or 0) > 0,
            not (record["duration"] or 0) > 0,
            _unknown_last(*content, record["artist_id"], record["duration"], record["year"]),
        )

    best = [min(same, key=rank) for same in _grouped(records, "song_id").values()]
    return [
        {
            "song_id": record["song_id"],
            "title": _trimmed(record["title"]),
            "artist_id": record["artist_id"],
            "year": record["year"] or None,
            "duration": record["duration"],
            "artist_name": _trimmed(record["artist_name"]),
        }
        for record in best
    ]


def _artists(records: Sequence[Record]) -> list[Record]:
    """One row per artist_id: the name most songs credit, and the place of a record that has one.

    Ties of names go to the shortest, then the first by alphabet; a known name beats none. Of places a record
    with a location comes first, then one with both coordinates, then the first by content.
    """
    artists: list[Record] = []
    for (artist_id,), own in _grouped(records, "artist_id").items():
        crediting: dict[str | None, set[str]] = defaultdict(set)
        for record in own:
            crediting[_trimmed(record["artist_name"])].add(record["song_id"])
        names = [name for name in crediting if name is not None]
        name = min(names, key=lambda name: (-len(crediting[name]), len(name), name), default=None)
        places = [
            (_trimmed(record["artist_location"]), record["artist_latitude"], record["artist_longitude"])
            for record in own
        ]
        place = min(places, key=lambda place: (place[0] is None, None in place[1:], _unknown_last(*place)))
        artists.append(
            {
                "artist_id": artist_id,
                "name": name,
                "location": place[0],
                "latitude": place[1],
                "longitude": place[2],
            }
        )
    return artists


def songplay_id(user_id: str, session_id: int, item_in_session: int, ts: int) -> int:
    """Return the first 60 bits of the MD5 of an event's identity, its parts joined by ``|``."""
    identity = f"{user_id}|{session_id}|{item_in_session}|{ts}"
    return int(hashlib.md5(identity.encode()).hexdigest()[:15], 16)


def _songplays(events: Sequence[Record], catalogue: Sequence[Record]) -> list[dict[str, Any]]:
    """One row per NextSong event; of deliveries that differ the first by content, unknown last."""
    titles = _grouped(catalogue, "title", "artist_name")
    plays = []
    next_songs = [event for event in events if event["page"] == "NextSong"]
    for same in _grouped(next_songs, "user_id", "session_id", "item_in_session", "ts").values():
        event = min(same, key=_delivery_rank)
        song, artist = _trimmed(event["song"]), _trimmed(event["artist"])
        known = song is not None and artist is not None
        match = _nearest(titles.get((song, artist), []) if known else [], event["length"])
        plays.append(
            {
                "songplay_id": songplay_id(
                    event["user_id"], event["session_id"], event["item_in_session"], event["ts"]
                ),
                "start_time": EPOCH + timedelta(milliseconds=event["ts"]),
                "user_id": event["user_id"],
                "level": _trimmed(event["level"]),
                "session_id": event["session_id"],
                "location": _trimmed(event["location"]),
                "user_agent": _trimmed(event["user_agent"]),
                "item_in_session": event["item_in_session"],
                "song": song,
                "artist": artist,
                "length": event["length"],
                **match,
            }
        )
    return plays


def _delivery_rank(event: Record) -> Any:
    return _unknown_last(
        _trimmed(event["level"]),
        _trimmed(event["song"]),
        _trimmed(event["artist"]),
        event["length"],
        _trimmed(event["location"]),
        _trimmed(event["user_agent"]),
    )


def _nearest(songs: Sequence[Record], length: float | None) -> dict[str, Any]:
    """Return the song whose duration is nearest to the length played; the first by song_id of several."""

    def distance(song: Record) -> float | None:
        return None if None in (song["duration"], length) else abs(song["duration"] - length)

    if not songs:
        return {"song_id": None, "artist_id": None, "song_match": None}
    song = min(songs, key=lambda song: _unknown_last(distance(song), song["song_id"]))
    off = distance(song)
    return {
        "song_id": song["song_id"],
        "artist_id": song["artist_id"],
        "song_match": "exact" if off is not None and off <= 0.001 else "title_artist",
    }


def _users(events: Sequence[Record]) -> list[Record]:
    """One row per user of any page, as of the latest event by (ts, item_in_session), then by content."""
    seen = [
        {name: _trimmed(event[name]) for name in ("first_name", "last_name", "gender", "level")}
        | {
            "user_id": event["user_id"],
            "last_seen_ts": event["ts"],
            "last_item_in_session": event["item_in_session"],
        }
        for event in events
        if event["user_id"]
    ]

    def rank(user: Record) -> Any:
        content = _unknown_last(*(user[name] for name in ("level", "first_name", "last_name", "gender")))
        return -user["last_seen_ts"], -user["last_item_in_session"], content

    return [min(same, key=rank) for same in _grouped(seen, "user_id").values()]


def _moment(start: datetime) -> dict[str, Any]:
    return {
        "start_time": start,
        "hour": start.hour,
        "day": start.day,
        "week": start.isocalendar().week,
        "month": start.month,
        "year": start.year,
        "weekday": start.isoweekday() % 7,  # 0 is Sunday
    }


def _days(events: Sequence[Record], plays: Sequence[Record]) -> list[Record]:
    """One row per UTC day with events; a stretch without an event belongs to the day in which it ends."""
    days: list[Record] = []
    last: int | None = None
    for number in sorted({event["ts"] // 86_400_000 for event in events}):
        day = (EPOCH + timedelta(days=number)).date()
        own = [event for event in events if event["ts"] // 86_400_000 == number]
        played = [play for play in plays if play["start_time"].date() == day]
        times = sorted(event["ts"] for event in own)
        # Shorter stretches than those between events of different minutes matter to nobody.
        within = [
            later - earlier for earlier, later in pairwise(times) if later // 60_000 > earlier // 60_000
        ]
        across = [] if last is None else [times[0] - last]
        optional = [name for name in COLUMNS["staging_events"] if name not in {*REQUIRED, "extra"}]
        days.append(
            {
                "day": day,
                "events": len(own),
                "plays": len(played),
                "first_ts": times[0],
                "last_ts": times[-1],
                "longest_gap_ms": max(within + across, default=None),
                "plays_without_title": sum(play["song"] is None for play in played),
                "plays_without_artist": sum(play["artist"] is None for play in played),
                "plays_matched": sum(play["song_id"] is not None for play in played),
                "absent": " ".join(name for name in optional if all(event[name] is None for event in own)),
                "gap_within_ms": max(within, default=None),
            }
        )
        last = times[-1]
    return days


# Adopted fields.


def adopt(record: Record, name: str, type_: str) -> tuple[Any, bool]:
    """Return what a column holds of a field, and whether that is all there is: ``extra`` keeps nothing then.

    The value goes into the column as into any other of that type; one that it does not hold, or holds in
    another form, stays in ``extra``: whole numbers are written without a point, doubles with one, and zero
    has no sign. A name with a dot is a field inside an object, which stays there.
    """
    value, *path = record.get(name.split(".", maxsplit=1)[0]), *name.split(".")[1:]
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    held, whole = _held(value, type_)
    return held, whole and held is not None and not path


def _held(value: Any, type_: str) -> tuple[Any, bool]:
    kind, _, width = type_.removesuffix(")").partition("(")
    if value is None or isinstance(value, list | dict):
        return None, False
    if kind == "VARCHAR":
        text = value if isinstance(value, str) else json.dumps(value)
        fits = len(text.encode()) <= int(width)
        return (text, isinstance(value, str)) if fits else (None, False)
    if kind == "BOOLEAN":
        return (value, True) if isinstance(value, bool) else (None, False)
    form = float if kind == "DOUBLE" else int
    return _number(value, kind), isinstance(value, form) and str(value) != "-0.0"


def _number(value: Any, kind: str) -> Any:
    try:
        number = None if isinstance(value, bool) else float(value)
    except ValueError:
        return None
    if number is None or kind == "DOUBLE":
        return number
    limit = {"INTEGER": 2**31, "BIGINT": 2**63}[kind]
    return int(value) if number.is_integer() and -limit <= number < limit else None
