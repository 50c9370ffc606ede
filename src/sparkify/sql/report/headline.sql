-- In short
-- What the range comes to. plays: NextSong events, each once. listeners: people with a play; sessions: their
-- visits with a play; songs: titles by artist as the logs name them; matched: plays of a song in the
-- catalogue. people: those with any event, plays or not. People are counted once each, so the people of two
-- ranges do not add up.
SELECT
    t.plays,
    t.listeners,
    (
        SELECT COUNT(*)
        FROM (
            SELECT p.user_id, p.session_id
            FROM songplays AS p
            WHERE p.start_time >= :since AND p.start_time < :until
            GROUP BY p.user_id, p.session_id
        ) AS s
    ) AS sessions,
    (
        SELECT COUNT(*)
        FROM (
            SELECT p.song, p.artist
            FROM songplays AS p
            WHERE p.start_time >= :since AND p.start_time < :until
            GROUP BY p.song, p.artist
        ) AS s
    ) AS songs,
    t.matched,
    (
        SELECT COUNT(DISTINCT e.user_id)
        FROM staging_events AS e
        WHERE e.user_id <> '' AND e.ts >= :ts_since AND e.ts < :ts_until
    ) AS people,
    t.first_play,
    t.last_play
FROM (
    SELECT
        COUNT(*) AS plays,
        COUNT(DISTINCT p.user_id) AS listeners,
        COUNT(p.song_id) AS matched,
        MIN(p.start_time) AS first_play,
        MAX(p.start_time) AS last_play
    FROM songplays AS p
    WHERE p.start_time >= :since AND p.start_time < :until
) AS t;
