-- When people listen, by their own clocks
-- Plays of the range by weekday and hour of the time zone of the place, across both changes of a year.
-- weekday 0 is Sunday. Without weekday and hour: plays of places that tell no time zone, or of before 2008.
-- The range is of UTC days.
SELECT
    CAST(EXTRACT(dow FROM c.local_hour) AS INTEGER) AS weekday,
    CAST(EXTRACT(hour FROM c.local_hour) AS INTEGER) AS hour,
    p.level,
    CAST(SUM(p.plays) AS BIGINT) AS plays
FROM (
    SELECT DATE_TRUNC('hour', g.start_time) AS utc_hour, g.level, z.time_zone, COUNT(*) AS plays
    FROM songplays AS g
    LEFT JOIN analytics.places AS z ON g.location = z.location
    WHERE g.start_time >= :since AND g.start_time < :until
    GROUP BY DATE_TRUNC('hour', g.start_time), g.level, z.time_zone
) AS p
LEFT JOIN analytics.clocks AS c ON p.time_zone = c.time_zone AND p.utc_hour = c.utc_hour
GROUP BY EXTRACT(dow FROM c.local_hour), EXTRACT(hour FROM c.local_hour), p.level
ORDER BY 1, 2, 3;
