-- When people listen
-- Plays of the range by weekday and hour, in UTC. weekday 0 is Sunday. A weekday that the range holds once
-- more than another has more plays for that alone.
SELECT
    CAST(EXTRACT(dow FROM p.start_time) AS INTEGER) AS weekday,
    CAST(EXTRACT(hour FROM p.start_time) AS INTEGER) AS hour,
    p.level,
    COUNT(*) AS plays
FROM songplays AS p
WHERE p.start_time >= :since AND p.start_time < :until
GROUP BY EXTRACT(dow FROM p.start_time), EXTRACT(hour FROM p.start_time), p.level
ORDER BY 1, 2, 3;
