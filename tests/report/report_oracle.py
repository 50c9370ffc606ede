"""The report's numbers in plain Python, from records: written from the definitions, never from the SQL."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from tests.clocks import local_time
from tests.oracle import COLUMNS, EPOCH, Record, expect
from tests.views_oracle import expect_level_changes

Rows = list[dict[str, Any]]
_DAY = timedelta(days=1)
_MOST_DAYS = 366
_STEPS = (
    *("Upgrade", "Submit Upgrade", "Downgrade", "Submit Downgrade", "Cancel", "Cancellation Confirmation"),
)
_DEVICES = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("Macintosh", "Mac"), ("Linux", "Linux")),
)


def expect_report(
    events: Iterable[Record], songs: Iterable[Record], since: date | None = None, until: date | None = None
) -> dict[str, Rows]:
    """Return the rows of every panel that follows from records."""
    tables = expect(events, songs)
    all_plays = _rows("songplays", tables["songplays"])
    genders = {each["user_id"]: each["gender"] for each in _rows("users", tables["users"])}
    visits = _visits(_rows("staging_events", tables["staging_events"]))

    def within(day: date) -> bool:
        return (since is None or day >= since) and (until is None or day <= until)

    plays = [each for each in all_plays if within(each["start_time"].date())]
    last = max((each["start_time"].date() for each in plays), default=None)
    if last is None:
        raise AssertionError("a range without plays has a test of its own")
    days_since = max(since or date.min, last - (_MOST_DAYS - 1) * _DAY)
    cohorts_since = max(since or date.min, last - timedelta(weeks=25))
    recent = [each for each in plays if each["start_time"].date() >= days_since]
    shown = (days_since, until or date.max)
    return {
        "headline": [_headline(plays, {user for user, _, day, _ in visits if within(day)})],
        "activity_by_day": [row for row in _by_day(visits, all_plays) if _between(row["day"], *shown)],
        "levels_by_day": _grouped(
            recent, ("day", "level"), lambda p: (p["start_time"].date(), p["level"]), listeners=True
        ),
        "levels": _levels(plays),
        "hours": _grouped(
            plays,
            ("weekday", "hour", "level"),
            lambda p: ((p["start_time"].weekday() + 1) % 7, p["start_time"].hour, p["level"]),
        ),
        "hours_by_day": _grouped(
            recent,
            ("day", "level", "hour"),
            lambda p: (p["start_time"].date(), p["level"], p["start_time"].hour),
        ),
        "local_hours": _grouped(plays, ("weekday", "hour", "level"), lambda p: (*_local(p), p["level"])),
        "coverage_by_day": _coverage_by_day(recent),
        "level_changes": _level_changes(
            row for row in expect_level_changes(tables) if _between(row[1].date(), *shown)
        ),
        "top_songs": _top(plays, ("song", "artist")),
        "top_artists": _top(plays, ("artist",)),
        "song_trends": _trends(plays, recent, ("song", "artist")),
        "artist_trends": _trends(plays, recent, ("artist",)),
        "metros": _top(plays, ("location",), listeners=True),
        "activity_by_week": [
            row for row in _by_week(visits, all_plays) if _between(row["week"], _monday(days_since), shown[1])
        ],
        "activity_by_month": [
            row
            for row in _by_month(visits, all_plays)
            if _between(row["month"], (since or date.min).replace(day=1), shown[1])
        ],
        "retention": [
            row
            for row in _retention(visits)
            if _between(row["cohort"], _monday(cohorts_since), shown[1]) and row["weeks_later"] <= 26
        ],
        "funnel": _funnel([each for each in visits if within(each[2])]),
        "genders": _grouped(
            plays, ("gender", "level"), lambda p: (genders[p["user_id"]], p["level"]), listeners=True
        ),
        "devices": _grouped(
            plays, ("device", "level"), lambda p: (_device(p["user_agent"]), p["level"]), listeners=True
        ),
        "coverage": _ranked(plays, ("song_match",), len(plays)),
        "unmatched": _ranked([p for p in plays if p["song_id"] is None], ("song", "artist"), 100),
    }


Visit = tuple[str, tuple[Any, ...], date, str]


def _visits(staged: Rows) -> list[Visit]:
    """Return (user, identity, day, page) of every event of a user, once; registration is kept aside."""
    found: dict[tuple[Any, ...], Visit] = {}
    for each in staged:
        if each["user_id"]:
            identity = tuple(each[name] for name in ("user_id", "session_id", "item_in_session", "ts"))
            day = (EPOCH + timedelta(milliseconds=each["ts"])).date()
            found[*identity, each["page"]] = (
                each["user_id"],
                (*identity, each["registration"]),
                day,
                each["page"],
            )
    return list(found.values())


def _headline(plays: Rows, people: set[str]) -> dict[str, Any]:
    return {
        "plays": len(plays),
        "listeners": len({p["user_id"] for p in plays}),
        "sessions": len({(p["user_id"], p["session_id"]) for p in plays}),
        "songs": len({(p["song"], p["artist"]) for p in plays}),
        "matched": sum(p["song_id"] is not None for p in plays),
        "people": len(people),
        "first_play": min(p["start_time"] for p in plays),
        "last_play": max(p["start_time"] for p in plays),
    }


def _by_day(visits: Sequence[Visit], plays: Rows) -> Rows:
    days_of: dict[str, set[date]] = defaultdict(set)
    for user, _, day, _ in visits:
        days_of[user].add(day)
    last = max(day for days in days_of.values() for day in days)
    rows = []
    for day in sorted({day for days in days_of.values() for day in days}):
        there = [days for days in days_of.values() if day in days]
        new = sum(min(days) == day for days in there)
        lost = sum(not any(day < other <= day + 28 * _DAY for other in days) for days in there)
        rows.append(
            {
                "day": day,
                "people": len(there),
                **_listening([p for p in plays if p["start_time"].date() == day]),
                "new_people": new,
                "returning_people": len(there) - new,
                "lost_people": lost if (last - day).days >= 28 else None,
            }
        )
    return rows


def _by_week(visits: Sequence[Visit], plays: Rows) -> Rows:
    return [{"week": week, **row} for week, row, _ in _by_period(visits, plays, _monday)]


def _by_month(visits: Sequence[Visit], plays: Rows) -> Rows:
    rows = []
    for month, row, person_days in _by_period(visits, plays, lambda day: day.replace(day=1)):
        daily = len(person_days) / len({day for _, day in person_days})
        rows.append({"month": month, **row, "mean_daily_people": daily, "stickiness": daily / row["people"]})
    return rows


def _by_period(
    visits: Sequence[Visit], plays: Rows, begin: Callable[[date], date]
) -> Iterable[tuple[date, dict[str, int], set[tuple[str, date]]]]:
    """Yield each period with its row, and who was there on which of its days."""
    first: dict[str, date] = {}
    for user, _, day, _ in visits:
        first[user] = min(first.get(user, date.max), day)
    for period in sorted({begin(day) for _, _, day, _ in visits}):
        person_days = {(user, day) for user, _, day, _ in visits if begin(day) == period}
        people = {user for user, _ in person_days}
        heard = [p for p in plays if begin(p["start_time"].date()) == period]
        new = sum(begin(first[user]) == period for user in people)
        yield period, {"people": len(people), **_listening(heard), "new_people": new}, person_days


def _listening(plays: Rows) -> dict[str, int]:
    return {"listeners": len({p["user_id"] for p in plays}), "plays": len(plays)}


def _retention(visits: Sequence[Visit]) -> Rows:
    weeks: dict[str, set[date]] = defaultdict(set)
    registered: dict[str, float] = {}
    for user, identity, day, _ in visits:
        weeks[user].add(_monday(day))
        if identity[-1] is not None:
            registered[user] = min(registered.get(user, float("inf")), identity[-1])
    cohorts = {
        "first_event": {user: min(found) for user, found in weeks.items()},
        "registration": {
            user: _monday((EPOCH + timedelta(milliseconds=at)).date()) for user, at in registered.items()
        },
    }
    rows = []
    for cohort_by, begun in cohorts.items():
        sizes = Counter(begun.values())
        there = Counter(
            (begun[user], (week - begun[user]).days // 7)
            for user in begun
            for week in weeks[user]
            if week >= begun[user]
        )
        rows += [
            {
                "cohort_by": cohort_by,
                "cohort": cohort,
                "cohort_people": sizes[cohort],
                "weeks_later": later,
                "people": people,
            }
            for (cohort, later), people in sorted(there.items())
        ]
    return rows


def _funnel(visits: Sequence[Visit]) -> Rows:
    rows = []
    for step, page in enumerate(_STEPS, 1):
        users = [user for user, _, _, there in visits if there == page]
        if users:
            rows.append({"step": step, "page": page, "events": len(users), "people": len(set(users))})
    return rows


def _local(play: dict[str, Any]) -> tuple[int | None, int | None]:
    local = local_time(play["start_time"], play["location"])
    return ((local.weekday() + 1) % 7, local.hour) if local else (None, None)


def _coverage_by_day(plays: Rows) -> Rows:
    days: dict[date, list[bool]] = defaultdict(list)
    for play in plays:
        days[play["start_time"].date()].append(play["song_id"] is not None)
    return [
        {"day": day, "plays": len(found), "matched": sum(found), "share": sum(found) / len(found)}
        for day, found in sorted(days.items())
    ]


def _level_changes(changes: Iterable[tuple[Any, ...]]) -> Rows:
    ways = {("free", "paid"): "free_to_paid", ("paid", "free"): "paid_to_free"}
    days: dict[date, Counter[str]] = defaultdict(Counter)
    for _, moment, before, after in changes:
        days[moment.date()][ways.get((before, after), "other_changes")] += 1
    names = (*ways.values(), "other_changes")
    return [{"day": day, **{name: days[day][name] for name in names}} for day in sorted(days)]


def _levels(plays: Rows) -> Rows:
    rows = []
    for level in {p["level"] for p in plays}:
        found = [p for p in plays if p["level"] == level]
        listeners = len({p["user_id"] for p in found})
        rows.append(
            {
                "level": level,
                "plays": len(found),
                "listeners": listeners,
                "sessions": len({(p["user_id"], p["session_id"]) for p in found}),
                "plays_per_listener": len(found) / listeners,
            }
        )
    return sorted(rows, key=lambda row: (-row["plays"], _last_if_none(row["level"])))


def _top(plays: Rows, names: Sequence[str], *, listeners: bool = False) -> Rows:
    rows: Rows = []
    levels = sorted({p["level"] or "unknown" for p in plays})
    for level, most in ((None, 100), *((level, 20) for level in levels)):
        found = [p for p in plays if level is None or (p["level"] or "unknown") == level]
        for place, row in enumerate(_ranked(found, names, most), 1):
            rows.append({"of_level": level, "place": place, **row})
            if listeners:
                same = [p for p in found if all(p[name] == row[name] for name in names)]
                rows[-1]["listeners"] = len({p["user_id"] for p in same})
    return rows


def _trends(plays: Rows, recent: Rows, names: Sequence[str]) -> Rows:
    rows = []
    for place, row in enumerate(_ranked(plays, names, 10), 1):
        same = [p for p in recent if all(p[name] == row[name] for name in names)]
        weeks = Counter(_monday(p["start_time"].date()) for p in same)
        keys = {name: row[name] for name in names}
        rows += [{"place": place, **keys, "week": week, "plays": n} for week, n in sorted(weeks.items())]
    return rows


def _ranked(plays: Rows, names: Sequence[str], most: int) -> Rows:
    counts = Counter(tuple(p[name] for name in names) for p in plays)
    ordered = sorted(counts.items(), key=lambda each: (-each[1], *map(_last_if_none, each[0])))
    return [{**dict(zip(names, key, strict=True)), "plays": number} for key, number in ordered[:most]]


def _grouped(
    plays: Rows,
    names: Sequence[str],
    key: Callable[[dict[str, Any]], tuple[Any, ...]],
    *,
    listeners: bool = False,
) -> Rows:
    groups: dict[tuple[Any, ...], Rows] = defaultdict(list)
    for each in plays:
        groups[key(each)].append(each)
    rows = []
    for found in sorted(groups, key=lambda each: tuple(map(_last_if_none, each))):
        row = {**dict(zip(names, found, strict=True)), "plays": len(groups[found])}
        if listeners:
            row["listeners"] = len({p["user_id"] for p in groups[found]})
        rows.append(row)
    return rows


def _device(agent: str | None) -> str | None:
    if agent is None:
        return None
    return next((device for word, device in _DEVICES if word in agent), "other")


def _rows(table: str, rows: Counter[tuple[Any, ...]]) -> Rows:
    return [dict(zip(COLUMNS[table], row, strict=True)) for row in rows.elements()]


def _monday(day: date) -> date:
    return day if day == date.min else day - timedelta(days=day.weekday())


def _between(day: date, first: date, last: date) -> bool:
    return first <= day <= last


def _last_if_none(value: Any) -> tuple[bool, Any]:
    return (value is None, "" if value is None else value)


def plain(value: Any) -> Any:
    """Return rows as JSON has them, columns in any order, numbers rounded as far as they may differ."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in sorted(value.items())}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return round(value, 9) if isinstance(value, float) else value
