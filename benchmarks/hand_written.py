"""The peer: a script as one writes it by hand, filling the same tables without ledger, dedupe or checks.

Run as ``python hand_written.py DATABASE LOG_FOLDER SONG_FOLDER`` for a new warehouse, as
``python hand_written.py DATABASE LOG_FOLDER`` to add a day's logs, later than all there are, to one that is there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

EVENTS = """{artist: 'VARCHAR', auth: 'VARCHAR', firstName: 'VARCHAR', gender: 'VARCHAR', itemInSession: 'INTEGER',
lastName: 'VARCHAR', length: 'DOUBLE', level: 'VARCHAR', location: 'VARCHAR', method: 'VARCHAR', page: 'VARCHAR',
registration: 'DOUBLE', sessionId: 'BIGINT', song: 'VARCHAR', status: 'INTEGER', ts: 'BIGINT', userAgent: 'VARCHAR',
userId: 'VARCHAR'}"""
SONGS = """{num_songs: 'INTEGER', artist_id: 'VARCHAR', artist_latitude: 'DOUBLE', artist_longitude: 'DOUBLE',
artist_location: 'VARCHAR', artist_name: 'VARCHAR', song_id: 'VARCHAR', title: 'VARCHAR', duration: 'DOUBLE',
year: 'INTEGER'}"""


def staged_events(logs: str) -> str:
    return f"""SELECT artist, auth, firstName AS first_name, gender, itemInSession AS item_in_session,
            lastName AS last_name, length, level, location, method, page, registration, sessionId AS session_id,
            song, status, ts, userAgent AS user_agent, userId AS user_id, hash(filename) AS file_id
        FROM read_json('{logs}/**/*.json', format = 'newline_delimited', columns = {EVENTS}, filename = true)
    """


def staged_songs(songs: str) -> str:
    return f"""SELECT * EXCLUDE (filename), hash(filename) AS file_id
        FROM read_json('{songs}/**/*.json', columns = {SONGS}, filename = true)
    """


CATALOGUE = (
    """SELECT song_id, title, artist_id, NULLIF(year, 0) AS year, duration, artist_name FROM staging_songs"""
)

ARTISTS = """WITH names AS (
        SELECT artist_id, artist_name AS name FROM staging_songs GROUP BY artist_id, artist_name
        QUALIFY row_number() OVER (PARTITION BY artist_id ORDER BY count(*) DESC, length(name), name) = 1
    ), places AS (
        SELECT artist_id, NULLIF(artist_location, '') AS location, artist_latitude AS latitude,
            artist_longitude AS longitude
        FROM staging_songs
        QUALIFY row_number() OVER (
            PARTITION BY artist_id ORDER BY location IS NULL, latitude IS NULL, location, latitude, longitude
        ) = 1
    )
    SELECT * FROM names JOIN places USING (artist_id)
"""


def plays(since: int) -> str:
    return f"""SELECT
            ('0x' || substr(md5(user_id || '|' || session_id || '|' || item_in_session || '|' || ts), 1, 15))
                ::BIGINT AS songplay_id,
            epoch_ms(ts) AS start_time, user_id, level, s.song_id, s.artist_id, session_id, location,
            user_agent, item_in_session, CASE WHEN s.song_id IS NOT NULL THEN 'exact' END AS song_match,
            song, artist, length
        FROM staging_events AS e
        LEFT JOIN songs AS s ON e.song = s.title AND e.artist = s.artist_name AND e.length = s.duration
        WHERE page = 'NextSong' AND ts >= {since}
    """


def users(since: int) -> str:
    return f"""SELECT user_id, unnest(arg_max({{
            first_name: first_name, last_name: last_name, gender: gender, level: level, last_seen_ts: ts,
            last_item_in_session: item_in_session}}, (ts, item_in_session)))
        FROM staging_events WHERE user_id <> '' AND ts >= {since} GROUP BY user_id
    """


def times(since: int) -> str:
    return f"""SELECT start_time, hour(start_time) AS hour, day(start_time) AS day, week(start_time) AS week,
            month(start_time) AS month, year(start_time) AS year, dayofweek(start_time) AS weekday
        FROM (SELECT DISTINCT start_time FROM songplays WHERE start_time >= epoch_ms({since}))
    """


def load(database: str, logs: str, songs: str) -> None:
    Path(database).unlink(missing_ok=True)
    with duckdb.connect(database) as connection:
        for table, select in {
            "staging_events": staged_events(logs),
            "staging_songs": staged_songs(songs),
            "songs": CATALOGUE,
            "artists": ARTISTS,
            "songplays": plays(0),
            "users": users(0),
            "time": times(0),
        }.items():
            connection.execute(f"CREATE TABLE {table} AS {select}")


def add_day(database: str, logs: str) -> None:
    with duckdb.connect(database) as connection:
        connection.begin()
        last = connection.execute("SELECT max(ts) FROM staging_events").fetchone()
        assert last is not None
        since = last[0] + 1
        connection.execute(f"INSERT INTO staging_events {staged_events(logs)}")
        connection.execute(f"INSERT INTO songplays {plays(since)}")
        connection.execute(f"CREATE TEMP TABLE seen AS {users(since)}")
        connection.execute("DELETE FROM users WHERE user_id IN (SELECT user_id FROM seen)")
        connection.execute("INSERT INTO users FROM seen")
        connection.execute(f"INSERT INTO time {times(since)}")
        connection.commit()


if __name__ == "__main__":
    (load if len(sys.argv) == 4 else add_day)(*sys.argv[1:])
