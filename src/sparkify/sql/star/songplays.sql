-- Plays of a piece of the run's scope: every NextSong event once, matched with a song or not.
-- An event is identified by user, session, item and time; delivered twice it is one play. Among deliveries
-- that differ, the first by content wins (known values before unknown ones), so that the order in which files
-- arrive does not matter. Trailing blanks are removed: Redshift ignores them in every comparison, so they
-- cannot decide an order, and a text of blanks alone means unknown.
-- Only the few times at which a session has more than one event are sorted.
-- songplay_id is the first 60 bits of an MD5 of that identity: the same on every engine and in every rebuild.
DELETE FROM songplays
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP);

INSERT INTO songplays (
    songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_match, song, artist, length
)
WITH repeated AS (
    SELECT e.ts, e.session_id
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN :ts_from AND :ts_to
        AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN :ts_from AND :ts_to)  -- sparse
    GROUP BY e.ts, e.session_id
    HAVING COUNT(*) > 1
),

plays AS (
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    LEFT JOIN repeated AS r ON e.ts = r.ts
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN :ts_from AND :ts_to
        AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN :ts_from AND :ts_to)  -- sparse
        AND r.ts IS NULL
    UNION ALL
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN :ts_from AND :ts_to
        AND e.ts IN (SELECT r.ts FROM repeated AS r)
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY e.ts, e.user_id, e.session_id, e.item_in_session
        ORDER BY
            NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.song, ' '), ''), NULLIF(RTRIM(e.artist, ' '), ''),
            e.length, NULLIF(RTRIM(e.location, ' '), ''), NULLIF(RTRIM(e.user_agent, ' '), '')
    ) = 1
)

SELECT
    STRTOL(
        SUBSTRING(
            MD5(
                p.user_id || '|' || CAST(p.session_id AS VARCHAR(20)) || '|'
                || CAST(p.item_in_session AS VARCHAR(20)) || '|' || CAST(p.ts AS VARCHAR(20))
            ), 1, 15
        ), 16
    ) AS songplay_id,
    DATEADD(ms, p.ts, '1970-01-01'::TIMESTAMP) AS start_time,
    p.user_id,
    NULLIF(RTRIM(p.level, ' '), '') AS level,
    m.song_id,
    m.artist_id,
    p.session_id,
    NULLIF(RTRIM(p.location, ' '), '') AS location,
    NULLIF(RTRIM(p.user_agent, ' '), '') AS user_agent,
    p.item_in_session,
    m.song_match,
    NULLIF(RTRIM(p.song, ' '), '') AS song,
    NULLIF(RTRIM(p.artist, ' '), '') AS artist,
    p.length
FROM plays AS p
LEFT JOIN run_song_matches AS m
    ON
        RTRIM(p.song, ' ') = m.song AND RTRIM(p.artist, ' ') = m.artist
        AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL));
