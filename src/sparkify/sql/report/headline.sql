-- In short
-- What the range comes to. plays: NextSong events, each once. listeners: people with a play; sessions: their
-- visits with a play; songs: titles by artist as the logs name them; matched: plays of a song in the
-- catalogue. people: those with any event, plays or not. People are counted once each, so the people of two
-- ranges do not add up.
SELECT
    t.plays,
    (SELECT COUNT(DISTINCT l.user_id) FROM listeners AS l) AS listeners,
    (
        SELECT COUNT(*)
        FROM (SELECT v.user_id, v.session_id FROM visits AS v GROUP BY v.user_id, v.session_id) AS s
    ) AS sessions,
    (
        SELECT COUNT(*)
        FROM (SELECT p.song, p.artist FROM songs_played AS p GROUP BY p.song, p.artist) AS s
    ) AS songs,
    t.matched,
    (
        SELECT COUNT(DISTINCT u.user_id)
        FROM analytics.user_days AS u
        WHERE u.day >= CAST(:since AS DATE) AND u.day < CAST(:until AS DATE)
    ) AS people,
    t.first_play,
    t.last_play
FROM (
    SELECT
        COUNT(*) AS plays,
        COUNT(p.song_id) AS matched,
        MIN(p.start_time) AS first_play,
        MAX(p.start_time) AS last_play
    FROM songplays AS p
    WHERE p.start_time >= :since AND p.start_time < :until
) AS t;
