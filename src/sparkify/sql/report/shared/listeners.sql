-- Plays of the range by listener, level, place and device. One row per combination with plays.
-- grain: user_id, level, location, user_agent
SELECT
    p.user_id,
    p.level,
    p.location,
    p.user_agent,
    COUNT(*) AS plays
FROM songplays AS p
WHERE p.start_time >= :since AND p.start_time < :until
GROUP BY p.user_id, p.level, p.location, p.user_agent;
