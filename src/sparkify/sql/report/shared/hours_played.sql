-- Plays of the range by hour (UTC), level and place. One row per combination with plays.
-- grain: utc_hour, level, location
SELECT
    DATE_TRUNC('hour', p.start_time) AS utc_hour,
    p.level,
    p.location,
    COUNT(*) AS plays
FROM songplays AS p
WHERE p.start_time >= :since AND p.start_time < :until
GROUP BY DATE_TRUNC('hour', p.start_time), p.level, p.location;
