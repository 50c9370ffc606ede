-- Plays of the range by visit, level, place and device. One row per combination with plays.
-- grain: user_id, session_id, level, location, user_agent
SELECT
    p.user_id,
    p.session_id,
    p.level,
    p.location,
    p.user_agent,
    COUNT(*) AS plays,
    COUNT(p.song_id) AS matched,
    MIN(p.start_time) AS first_play,
    MAX(p.start_time) AS last_play
FROM songplays AS p
WHERE p.start_time >= :since AND p.start_time < :until
GROUP BY p.user_id, p.session_id, p.level, p.location, p.user_agent;
