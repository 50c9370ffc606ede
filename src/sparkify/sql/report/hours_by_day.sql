-- Hours of each day
-- Plays by UTC day, hour and level, for the filter by date; the latest 366 days of the range.
SELECT
    CAST(p.start_time AS DATE) AS day,
    p.level,
    CAST(EXTRACT(hour FROM p.start_time) AS INTEGER) AS hour,
    COUNT(*) AS plays
FROM songplays AS p
WHERE p.start_time >= :days_since AND p.start_time < :until
GROUP BY CAST(p.start_time AS DATE), p.level, EXTRACT(hour FROM p.start_time)
ORDER BY 1, 2, 3;
