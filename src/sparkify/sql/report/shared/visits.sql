-- Plays of the range by visit and level. One row per combination with plays.
-- grain: user_id, session_id, level
SELECT
    p.user_id,
    p.session_id,
    p.level,
    COUNT(*) AS plays
FROM songplays AS p
WHERE p.start_time >= :since AND p.start_time < :until
GROUP BY p.user_id, p.session_id, p.level;
