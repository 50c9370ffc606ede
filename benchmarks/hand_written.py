"""The peer: a script as one writes it by hand, filling the same tables without ledger, dedupe or checks.

Run as ``python hand_written.py DATABASE LOG_FOLDER SONG_FOLDER``.
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


def load(database: str, logs: str, songs: str) -> None:
    Path(database).unlink(missing_ok=True)
    connection = duckdb.connect(database)
    for statement in (
        f"""CREATE TABLE staging_events AS
            SELECT artist, auth, firstName AS first_name, gender, itemInSession AS item_in_session,
                lastName AS last_name, length, level, location, method, page, registration,
                sessionId AS session_id, song, status, ts, userAgent AS user_agent, userId AS user_id,
                hash(filename) AS file_id
            FROM read_json('{logs}/**/*.json', format = 'newline_delimited', columns = {EVENTS}, filename = true)
        """,
        f"""CREATE TABLE staging_songs AS
            SELECT * EXCLUDE (filename), hash(filename) AS file_id
            FROM read_json('{songs}/**/*.json', columns = {SONGS}, filename = true)
        """,
        """CREATE TABLE songs AS
            SELECT song_id, title, artist_id, NULLIF(year, 0) AS year, duration, artist_name FROM staging_songs
        """,
        """CREATE TABLE artists AS
            SELECT artist_id, ANY_VALUE(artist_name) AS name, ANY_VALUE(artist_location) AS location,
                ANY_VALUE(artist_latitude) AS latitude, ANY_VALUE(artist_longitude) AS longitude
            FROM staging_songs GROUP BY artist_id
        """,
        """CREATE TABLE songplays AS
            SELECT ('0x' || substr(md5(user_id || '|' || session_id || '|' || item_in_session || '|' || ts), 1, 15))
                    ::BIGINT AS songplay_id,
                epoch_ms(ts) AS start_time, user_id, level, s.song_id, s.artist_id, session_id, location,
                user_agent, item_in_session, CASE WHEN s.song_id IS NOT NULL THEN 'exact' END AS song_match,
                song, artist, length
            FROM staging_events AS e
            LEFT JOIN songs AS s ON e.song = s.title AND e.artist = s.artist_name AND e.length = s.duration
            WHERE page = 'NextSong'
        """,
        """CREATE TABLE users AS
            SELECT user_id, arg_max(first_name, ts) AS first_name, arg_max(last_name, ts) AS last_name,
                arg_max(gender, ts) AS gender, arg_max(level, ts) AS level, MAX(ts) AS last_seen_ts,
                arg_max(item_in_session, ts) AS last_item_in_session
            FROM staging_events WHERE user_id <> '' GROUP BY user_id
        """,
        """CREATE TABLE time AS
            SELECT start_time, hour(start_time) AS hour, day(start_time) AS day, week(start_time) AS week,
                month(start_time) AS month, year(start_time) AS year, dayofweek(start_time) AS weekday
            FROM (SELECT DISTINCT start_time FROM songplays)
        """,
    ):
        connection.execute(statement)
    connection.close()


if __name__ == "__main__":
    load(*sys.argv[1:])
