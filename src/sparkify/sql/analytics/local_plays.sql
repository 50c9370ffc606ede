-- When plays began by the clock of the listener's place. One row per play.
-- grain: songplay_id
-- local_time is NULL where the place tells no time zone (analytics.places), and for plays of before 2008.
-- Both changes of the year are in it (analytics.clocks).
CREATE VIEW analytics.local_plays AS
SELECT
    p.songplay_id,
    p.start_time,
    p.user_id,
    p.level,
    z.time_zone,
    DATEADD(hour, DATEDIFF(hour, c.utc_hour, c.local_hour)::INTEGER, p.start_time) AS local_time
FROM songplays AS p
LEFT JOIN analytics.places AS z ON p.location = z.location
LEFT JOIN analytics.clocks AS c
    ON z.time_zone = c.time_zone AND DATE_TRUNC('hour', p.start_time) = c.utc_hour;
