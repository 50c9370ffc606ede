-- When plays began by the clock of the listener's place. One row per play.
-- grain: songplay_id
-- local_time follows daylight-saving time as the United States have it since 2008: on from 2:00 on the second
-- Sunday of March, off from 2:00 on the first of November. So one hour of the year is skipped, and one comes
-- twice. NULL: the place tells no time zone (see analytics.places), or the play is of before 2008.
CREATE VIEW analytics.local_plays AS
SELECT
    w.songplay_id,
    w.start_time,
    w.user_id,
    w.level,
    w.time_zone,
    CASE
        -- The day less its weekday is the day of the latest Sunday. By standard time the clocks are put on at
        -- 2:00 and back at 1:00: that much earlier it is midnight.
        WHEN
            (
                EXTRACT(month FROM w.less_two) BETWEEN 4 AND 11
                OR (
                    EXTRACT(month FROM w.less_two) = 3
                    AND EXTRACT(day FROM w.less_two) - EXTRACT(dow FROM w.less_two) >= 8
                )
            )
            AND (
                EXTRACT(month FROM w.less_one) < 11
                OR (
                    EXTRACT(month FROM w.less_one) = 11
                    AND EXTRACT(day FROM w.less_one) - EXTRACT(dow FROM w.less_one) < 1
                )
            )
            THEN DATEADD(hour, w.summer_hours, w.start_time)
        ELSE DATEADD(hour, w.standard_hours, w.start_time)
    END AS local_time
FROM (
    SELECT
        s.songplay_id, s.start_time, s.user_id, s.level, s.time_zone, s.standard_hours, s.summer_hours,
        DATEADD(hour, s.standard_hours - 2, s.start_time) AS less_two,
        DATEADD(hour, s.standard_hours - 1, s.start_time) AS less_one
    FROM (
        SELECT
            p.songplay_id, p.start_time, p.user_id, p.level, z.time_zone, z.summer_hours,
            CASE WHEN p.start_time >= '2008-01-01'::TIMESTAMP THEN z.standard_hours END AS standard_hours
        FROM songplays AS p
        LEFT JOIN analytics.places AS z ON p.location = z.location
    ) AS s
) AS w;
