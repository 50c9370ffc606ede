-- Take the events of forgotten people (run_gone) out of staging and star, and put back into staging what
-- stays of them. What people had goes by their ids: their plays are theirs alone, so that of a moment at
-- which others played too nothing else is looked at. What they touched is noted, for the days and the
-- checks.
INSERT INTO run_moments SELECT g.ts FROM run_gone AS g;

INSERT INTO run_changed_users SELECT f.user_id FROM run_forgotten AS f;

UPDATE etl.days SET events = events - g.gone
FROM (
    SELECT r.ts - MOD(r.ts, 86400000) AS midnight, COUNT(*) AS gone
    FROM run_gone AS r
    WHERE r.user_id IS NULL
    GROUP BY r.ts - MOD(r.ts, 86400000)
) AS g
WHERE first_ts BETWEEN g.midnight AND g.midnight + 86399999;

UPDATE etl.days SET
    plays = plays - g.gone,
    plays_without_title = plays_without_title - g.without_title,
    plays_without_artist = plays_without_artist - g.without_artist,
    plays_matched = plays_matched - g.matched
FROM (
    SELECT
        CAST(p.start_time AS DATE) AS of_day,
        COUNT(*) AS gone,
        COUNT(*) - COUNT(p.song) AS without_title,
        COUNT(*) - COUNT(p.artist) AS without_artist,
        COUNT(p.song_id) AS matched
    FROM songplays AS p
    INNER JOIN run_forgotten AS f ON p.user_id = f.user_id
    WHERE f.anonymous IS NULL
    GROUP BY CAST(p.start_time AS DATE)
) AS g
WHERE day = g.of_day;

DELETE FROM users WHERE user_id IN (SELECT user_id FROM run_forgotten);

DELETE FROM songplays WHERE user_id IN (SELECT user_id FROM run_forgotten);

DELETE FROM staging_events WHERE user_id IN (SELECT user_id FROM run_forgotten);

INSERT INTO staging_events (
    artist, auth, item_in_session, length, level, method, page, session_id, song, status, ts, user_agent,
    user_id, file_id
)
SELECT
    g.artist,
    g.auth,
    g.item_in_session,
    g.length,
    g.level,
    g.method,
    g.page,
    g.session_id,
    g.song,
    g.status,
    g.ts,
    g.user_agent,
    g.user_id,
    g.file_id
FROM run_gone AS g
WHERE g.user_id IS NOT NULL;
