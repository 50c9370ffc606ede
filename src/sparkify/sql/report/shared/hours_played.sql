-- Plays of the range by hour (UTC) and level. One row per combination with plays.
-- grain: utc_hour, level
SELECT
    DATE_TRUNC('hour', p.start_time) AS utc_hour,
    p.level,
    COUNT(*) AS plays,
    COUNT(p.song_id) AS matched
FROM songplays AS p
WHERE p.start_time >= :since AND p.start_time < :until
GROUP BY DATE_TRUNC('hour', p.start_time), p.level;
