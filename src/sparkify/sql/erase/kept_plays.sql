-- The plays that stay without their person (run_gone), and who has them now, in the star: as songplays.sql
-- and users.sql compute them from staging. These ids have no other event.
INSERT INTO songplays (
    songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_match, song, artist, length
)
WITH plays AS (
    SELECT
        g.ts, g.user_id, g.session_id, g.item_in_session, g.level, g.user_agent, g.song, g.artist, g.length
    FROM run_gone AS g
    WHERE g.user_id IS NOT NULL
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY g.ts, g.user_id, g.session_id, g.item_in_session
        ORDER BY
            NULLIF(RTRIM(g.level, ' '), ''), NULLIF(RTRIM(g.song, ' '), ''), NULLIF(RTRIM(g.artist, ' '), ''),
            g.length, NULLIF(RTRIM(g.user_agent, ' '), '')
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
    NULL AS location,
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

INSERT INTO users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
SELECT
    g.user_id,
    NULL AS first_name,
    NULL AS last_name,
    NULL AS gender,
    NULLIF(RTRIM(g.level, ' '), '') AS level,
    g.ts AS last_seen_ts,
    g.item_in_session AS last_item_in_session
FROM run_gone AS g
WHERE g.user_id IS NOT NULL
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY g.user_id
    ORDER BY g.ts DESC, g.item_in_session DESC, NULLIF(RTRIM(g.level, ' '), '')
) = 1;

INSERT INTO run_changed_users SELECT DISTINCT g.user_id FROM run_gone AS g WHERE g.user_id IS NOT NULL;
