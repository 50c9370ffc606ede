"""A folder of five models, one of them incremental, and three checks; and what they say, in plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.oracle import Tables
from tests.warehouses import Place, rows

FILES = {
    # Named so that their order is not that of their names.
    "marts/z_daily.sql": """\
-- Plays and listeners by day and level.
-- materialized: incremental
-- day: day
-- grain: day, level
SELECT
    CAST(p.start_time AS DATE) AS day,
    p.level,
    COUNT(*) AS plays,
    COUNT(DISTINCT p.user_id) AS listeners,
    COUNT(p.song_id) AS matched
FROM songplays AS p
GROUP BY CAST(p.start_time AS DATE), p.level;
""",
    "marts/busy.sql": """\
-- The days with the most plays.
-- materialized: table
-- grain: day
SELECT d.day, SUM(d.plays) AS plays
FROM marts.z_daily AS d
GROUP BY d.day
HAVING SUM(d.plays) > 1
""",
    "marts/a_summary.sql": """\
-- A view on a view and a table; `:name` in a text is no parameter, -- no comment, and ; no end.
WITH named AS (SELECT n.user_id, n.name FROM people.names AS n)

SELECT
    b.day,
    b.plays,
    (SELECT COUNT(*) FROM named) AS people,
    'at :noon -- or ; later' AS said
FROM marts.busy AS b
""",
    "people/names.sql": """\
-- grain: user_id
-- check: not_null(user_id)
SELECT u.user_id, u.first_name || ' ' || u.last_name AS name FROM public.users AS u
""",
    "people/plays.sql": """\
-- materialized: table
-- check: unique(user_id), not_null(user_id, plays)
SELECT n.user_id, n.name, COUNT(p.songplay_id) AS plays
FROM people.names AS n
LEFT JOIN songplays AS p ON p.user_id = n.user_id
GROUP BY n.user_id, n.name
""",
    "checks/plays_add_up.sql": """\
-- The plays of all days are the plays there are.
SELECT d.plays, p.plays AS wanted
FROM (SELECT SUM(z.plays) AS plays FROM marts.z_daily AS z) AS d
CROSS JOIN (SELECT COUNT(*) AS plays FROM songplays) AS p
WHERE d.plays <> p.plays
""",
    "checks/nobody_listens_all_day.sql": """\
SELECT * FROM people.plays WHERE plays > 99999 AND name LIKE '%s%';
""",
    "checks/has_a_name.sql": """\
-- People have a name.
-- severity: warn
SELECT p.user_id FROM people.plays AS p WHERE p.name IS NULL
""",
}
COLUMNS = {
    "marts.z_daily": "day, level, plays, listeners, matched",
    "marts.busy": "day, plays",
    "marts.a_summary": "day, plays, people, said",
    "people.names": "user_id, name",
    "people.plays": "user_id, name, plays",
}


def write_folder(folder: Path, files: Mapping[str, str] = FILES) -> Path:
    """Write a folder of models; return it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def read_models(place: Place) -> Tables:
    """Return the rows of every model, as multisets."""
    found: Tables = {}
    for name, columns in COLUMNS.items():
        answer = rows(place, f"SELECT {columns} FROM {name}")
        found[name] = Counter(tuple(map(_plain, row)) for row in answer)
    return found


def _plain(value: Any) -> Any:
    # A sum of BIGINT is a number of another type on each engine.
    return int(value) if type(value).__name__ in ("Decimal", "int") else value


def expect_models(place: Place) -> Tables:
    """Return the same from the rows of songplays and users."""
    plays = rows(place, "SELECT start_time, level, user_id, song_id FROM songplays")
    people = rows(place, "SELECT user_id, first_name, last_name FROM users")
    by_level: dict[Any, list[Any]] = {}
    for start, level, user, song in plays:
        by_level.setdefault((start.date(), level), []).append((user, song))
    daily = {
        (*key, len(each), len({user for user, _ in each}), sum(song is not None for _, song in each))
        for key, each in by_level.items()
    }
    days = Counter(start.date() for start, *_ in plays)
    busy = {(day, count) for day, count in days.items() if count > 1}
    names = {(user, f"{first} {last}" if first and last else None) for user, first, last in people}
    of_user = Counter(user for *_, user, _ in plays)
    return {
        "marts.z_daily": Counter(daily),
        "marts.busy": Counter(busy),
        "marts.a_summary": Counter((*each, len(people), "at :noon -- or ; later") for each in busy),
        "people.names": Counter(names),
        "people.plays": Counter((*each, of_user[each[0]]) for each in names),
    }
