"""The views for analysts in plain Python, from the rows of the tables that :mod:`tests.oracle` expects.

Written from the contract and from the heads of ``sql/analytics/*.sql``. Rows are tuples in the order of
:data:`VIEWS`, views are multisets.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise, repeat
from typing import Any
from zoneinfo import ZoneInfo

from tests.clocks import CLOCKS, clock, local_time, same_clock
from tests.oracle import COLUMNS, EPOCH, Row, Tables

VIEWS: dict[str, tuple[str, ...]] = {
    "user_days": ("user_id", "day", "day_before", "day_after"),
    "listener_days": ("user_id", "day", "level", "plays"),
    "sessions": (
        *("user_id", "session_id", "started_at", "ended_at", "events", "plays", "level", "last_page"),
    ),
    "daily_activity": (
        *("day", "people", "listeners", "plays", "new_people", "returning_people", "lost_people"),
    ),
    "daily_levels": ("day", "level", "listeners", "plays"),
    "weekly_activity": ("week", "people", "listeners", "plays", "new_people"),
    "monthly_activity": (
        *("month", "people", "listeners", "plays", "new_people", "mean_daily_people", "stickiness"),
    ),
    "top_songs": ("song", "artist", "plays", "listeners"),
    "top_artists": ("artist", "plays", "listeners"),
    "top_songs_by_day": ("day", "song", "artist", "plays"),
    "top_songs_by_week": ("week", "song", "artist", "plays"),
    "top_artists_by_day": ("day", "artist", "plays"),
    "top_artists_by_week": ("week", "artist", "plays"),
    "user_levels": ("user_id", "level", "valid_from", "valid_to", "first_name", "last_name"),
    "funnel": ("step", "page", "events", "people"),
    "retention": ("cohort_by", "cohort", "weeks_later", "people", "cohort_people"),
    "listening_hours": ("weekday", "hour", "plays", "listeners"),
    "listening_hours_local": ("weekday", "hour", "plays", "listeners"),
    "local_plays": ("songplay_id", "start_time", "user_id", "level", "local_time"),
    "clocks": ("time_zone", "utc_hour", "local_hour"),
    "level_changes": ("user_id", "changed_at", "from_level", "to_level"),
    "places": ("location", "time_zone"),
    "listening_time": (
        *("songplay_id", "start_time", "user_id", "level", "seconds_at_least", "seconds_at_most"),
        "how_it_ended",
    ),
    "match_coverage": ("song_match", "plays"),
    "top_unmatched": ("song", "artist", "plays"),
}
_FUNNEL = (
    *("Upgrade", "Submit Upgrade", "Downgrade", "Submit Downgrade", "Cancel", "Cancellation Confirmation"),
)
_TIMES = range(946_684_800_000, 4_102_444_800_000)

Record = Mapping[str, Any]


def expect_views(tables: Tables) -> Tables:
    """Return every view for these tables."""
    events = _distinct_events(_records(tables, "staging_events"))
    plays = _records(tables, "songplays")
    raw = [event for event in _records(tables, "staging_events") if event["user_id"]]
    return {
        "user_days": Counter(_user_days(raw)),
        "listener_days": _plays_by(plays, lambda play: (play["user_id"], _day(play), play["level"])),
        "sessions": Counter(_sessions(events)),
        "daily_activity": Counter(_daily_activity(raw, plays)),
        "daily_levels": _plays_by(plays, lambda play: (_day(play), play["level"]), listeners=True),
        "weekly_activity": Counter(_activity(raw, plays, _monday)),
        "monthly_activity": Counter(_monthly_activity(raw, plays)),
        "top_songs": _plays_by(plays, lambda play: (play["song"], play["artist"]), listeners=True, last=True),
        "top_artists": _plays_by(plays, lambda play: (play["artist"],), listeners=True, last=True),
        "top_songs_by_day": _plays_by(plays, lambda play: (_day(play), play["song"], play["artist"])),
        "top_songs_by_week": _plays_by(plays, lambda play: (_week(play), play["song"], play["artist"])),
        "top_artists_by_day": _plays_by(plays, lambda play: (_day(play), play["artist"])),
        "top_artists_by_week": _plays_by(plays, lambda play: (_week(play), play["artist"])),
        "user_levels": Counter(_user_levels(events)),
        "level_changes": Counter(expect_level_changes(tables)),
        "funnel": Counter(_funnel(raw)),
        "retention": Counter(_retention(raw)),
        "listening_hours": _plays_by(
            plays,
            lambda play: (play["start_time"].isoweekday() % 7, play["start_time"].hour),
            listeners=True,
            last=True,
        ),
        **expect_local_views(tables),
        "listening_time": Counter(_listening_time(events, plays)),
        "match_coverage": _plays_by(plays, lambda play: (play["song_match"],)),
        "top_unmatched": _plays_by(
            [play for play in plays if play["song_id"] is None],
            lambda play: (play["song"], play["artist"]),
        ),
    }


def expect_local_views(tables: Tables) -> Tables:
    """Return the views that have local times."""
    plays = _records(tables, "songplays")
    same = ("songplay_id", "start_time", "user_id", "level")
    return {
        "clocks": Counter(_clocks(plays)),
        "places": Counter(
            (place, same_clock(place)) for place in {play["location"] for play in plays} - {None}
        ),
        "local_plays": Counter((*(play[name] for name in same), _local(play)) for play in plays),
        "listening_hours_local": _plays_by(plays, _local_hour, listeners=True, last=True),
    }


def expect_level_changes(tables: Tables) -> Iterable[Row]:
    """Yield (user, moment, level before, level after) of each change."""
    for before, after in pairwise(_user_levels(_distinct_events(_records(tables, "staging_events")))):
        if before[0] == after[0]:
            yield after[0], after[2], before[1], after[1]


def _records(tables: Tables, name: str) -> list[dict[str, Any]]:
    return [dict(zip(COLUMNS[name], row, strict=True)) for row in tables[name].elements()]


def _known(text: str | None) -> str | None:
    return (text or "").rstrip(" ") or None


def _unknown_last(*values: Any) -> tuple[tuple[bool, Any], ...]:
    return tuple((value is None, "" if value is None else value) for value in values)


def _distinct_events(events: Sequence[Record]) -> list[dict[str, Any]]:
    """Every event of a user once: of deliveries that differ a play, then the first by content."""
    best: dict[Row, dict[str, Any]] = {}
    ranks: dict[Row, Any] = {}
    for event in events:
        if not event["user_id"]:
            continue
        names = {name: _known(event[name]) for name in ("level", "first_name", "last_name", "gender")}
        keys = ("user_id", "session_id", "item_in_session", "ts", "page")
        record = {**{key: event[key] for key in keys}, **names}
        identity = tuple(event[key] for key in keys[:4])
        rank = (event["page"] != "NextSong", _unknown_last(*names.values(), event["page"]))
        if identity not in ranks or rank < ranks[identity]:
            best[identity], ranks[identity] = record, rank
    return list(best.values())


def _at(ts: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ts)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _first_of_month(day: date) -> date:
    return day.replace(day=1)


def _day(play: Record) -> date:
    day: date = play["start_time"].date()
    return day


def _week(play: Record) -> date:
    return _monday(_day(play))


def _local(play: Record) -> datetime | None:
    return local_time(play["start_time"], play["location"])


def _local_hour(play: Record) -> Row:
    local = _local(play)
    return (local.isoweekday() % 7, local.hour) if local else (None, None)


def _clocks(plays: Sequence[Record]) -> Iterable[Row]:
    hours = {play["start_time"].replace(minute=0, second=0, microsecond=0) for play in plays}
    for zone in CLOCKS:
        yield from ((zone, hour, clock(hour, ZoneInfo(zone))) for hour in hours if hour.year >= 2008)


def _plays_by(
    plays: Iterable[Record], key: Callable[[Record], Row], *, listeners: bool = False, last: bool = False
) -> Counter[Row]:
    """Count plays by a key; with distinct people before the plays, or after them (``last``)."""
    groups: dict[Row, list[str]] = defaultdict(list)
    for play in plays:
        groups[key(play)].append(play["user_id"])
    found: Counter[Row] = Counter()
    for group, people in groups.items():
        distinct = (len(set(people)),) if listeners else ()
        counts = (len(people), *distinct) if last else (*distinct, len(people))
        found[(*group, *counts)] += 1
    return found


def _by_user(events: Iterable[Record], *more: str) -> list[tuple[Row, list[Record]]]:
    keys = ("user_id", *more)
    order = (*keys, "ts", "item_in_session")
    ordered = sorted(events, key=lambda event: tuple(event[key] for key in order))
    return [
        (group, list(own)) for group, own in groupby(ordered, lambda event: tuple(event[key] for key in keys))
    ]


def _sessions(events: Sequence[Record]) -> Iterable[Row]:
    for (user_id, session_id), own in _by_user(events, "session_id"):
        times = [event["ts"] for event in own]
        plays = sum(event["page"] == "NextSong" for event in own)
        end = own[-1]
        first, last = _at(min(times)), _at(max(times))
        yield user_id, session_id, first, last, len(own), plays, end["level"], end["page"]


def _periods(events: Iterable[Record], period: Callable[[date], date]) -> dict[str, list[date]]:
    """Return the periods in which each user had events, in order."""
    found: dict[str, set[date]] = defaultdict(set)
    for event in events:
        found[event["user_id"]].add(period(_at(event["ts"]).date()))
    return {user: sorted(days) for user, days in found.items()}


def _user_days(events: Sequence[Record]) -> Iterable[Row]:
    for user, days in _periods(events, _same).items():
        yield from zip(repeat(user), days, [None, *days[:-1]], [*days[1:], None], strict=False)


def _same(day: date) -> date:
    return day


def _played_in(plays: Sequence[Record], period: Callable[[date], date], which: date) -> tuple[int, int]:
    people = [play["user_id"] for play in plays if period(_day(play)) == which]
    return len(set(people)), len(people)


def _daily_activity(events: Sequence[Record], plays: Sequence[Record]) -> Iterable[Row]:
    days = _periods(events, _same)
    last = max((own[-1] for own in days.values()), default=date.min)
    month = timedelta(days=28)
    for day in sorted({day for own in days.values() for day in own}):
        there = [own for own in days.values() if day in own]
        new = sum(own[0] == day for own in there)
        lost: int | None = sum(not any(day < other <= day + month for other in own) for own in there)
        if last - day < month:
            lost = None
        yield day, len(there), *_played_in(plays, _same, day), new, len(there) - new, lost


def _activity(
    events: Sequence[Record], plays: Sequence[Record], period: Callable[[date], date]
) -> Iterable[Row]:
    found = _periods(events, period)
    for which in sorted({each for own in found.values() for each in own}):
        there = [own for own in found.values() if which in own]
        yield which, len(there), *_played_in(plays, period, which), sum(own[0] == which for own in there)


def _monthly_activity(events: Sequence[Record], plays: Sequence[Record]) -> Iterable[Row]:
    days = _periods(events, _same)
    for row in _activity(events, plays, _first_of_month):
        month, people = row[0], row[1]
        person_days = [day for own in days.values() for day in own if _first_of_month(day) == month]
        distinct = len(set(person_days))
        yield *row, len(person_days) / distinct, len(person_days) / (distinct * people)


def _user_levels(events: Sequence[Record]) -> Iterable[Row]:
    for (user_id,), own in _by_user(events):
        moments = []
        for ts, same in groupby(own, lambda event: event["ts"]):
            ranked = sorted(
                same,
                key=lambda event: (
                    -event["item_in_session"],
                    _unknown_last(event["level"], event["first_name"], event["last_name"], event["gender"]),
                ),
            )
            moments.append((ts, ranked[0]))
        stretches = [list(each) for _, each in groupby(moments, lambda moment: moment[1]["level"])]
        starts = [_at(each[0][0]) for each in stretches]
        for number, each in enumerate(stretches):
            until = starts[number + 1] if number + 1 < len(starts) else None
            end = each[-1][1]
            yield user_id, end["level"], starts[number], until, end["first_name"], end["last_name"]


def _funnel(events: Iterable[Record]) -> Iterable[Row]:
    keys = ("user_id", "session_id", "item_in_session", "ts", "page")
    distinct = {tuple(event[key] for key in keys) for event in events}
    for step, page in enumerate(_FUNNEL, 1):
        people = [event[0] for event in distinct if event[-1] == page]
        if people:
            yield step, page, len(people), len(set(people))


def _retention(events: Sequence[Record]) -> Iterable[Row]:
    weeks = _periods(events, _monday)
    registered: dict[str, int] = {}
    for event in events:
        when = event["registration"]
        if when is not None and int(when) in _TIMES:
            registered[event["user_id"]] = min(int(when), registered.get(event["user_id"], int(when)))
    cohorts = {
        "first_event": {user: own[0] for user, own in weeks.items()},
        "registration": {user: _monday(_at(ts).date()) for user, ts in registered.items()},
    }
    for name, of_user in cohorts.items():
        for cohort in set(of_user.values()):
            people = [user for user, own in of_user.items() if own == cohort]
            later = Counter((week - cohort).days // 7 for user in people for week in weeks[user])
            yield from (
                (name, cohort, number, count, len(people)) for number, count in later.items() if number >= 0
            )


def _listening_time(events: Sequence[Record], plays: Sequence[Record]) -> Iterable[Row]:
    following: dict[Row, float] = {}
    for (user_id, session_id), own in _by_user(events, "session_id"):
        for event, after in pairwise(own):
            identity = (user_id, session_id, event["item_in_session"], event["ts"])
            following[identity] = (after["ts"] - event["ts"]) / 1000
    for play in plays:
        ts = (play["start_time"] - EPOCH) // timedelta(milliseconds=1)
        gap = following.get((play["user_id"], play["session_id"], play["item_in_session"], ts))
        length = play["length"] if (play["length"] or 0) > 0 else None
        if gap is None:
            least, most, how = 0.0, length, "unknown"
        elif length is not None and length < gap + 1:
            least, most, how = length, length, "length"
        else:
            least, most, how = gap, gap, "next_event"
        yield play["songplay_id"], play["start_time"], play["user_id"], play["level"], least, most, how
