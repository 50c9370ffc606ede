-- What the clocks show. One row per time zone and hour (UTC) with plays.
-- grain: time_zone, utc_hour
-- local_hour follows daylight-saving time as the United States have it since 2008: on from 2:00 on the
-- second Sunday of March, off from 2:00 on the first of November. So one hour of the year is skipped, and
-- one comes twice. There is no row of before 2008, when the rule was another.
CREATE VIEW analytics.clocks AS
SELECT
    c.time_zone,
    c.utc_hour,
    CASE
        -- The day less its weekday is the day of the latest Sunday. By standard time the clocks are put on at
        -- 2:00 and back at 1:00: that much earlier it is midnight.
        WHEN
            (
                EXTRACT(month FROM c.less_two) BETWEEN 4 AND 11
                OR (
                    EXTRACT(month FROM c.less_two) = 3
                    AND EXTRACT(day FROM c.less_two) - EXTRACT(dow FROM c.less_two) >= 8
                )
            )
            AND (
                EXTRACT(month FROM c.less_one) < 11
                OR (
                    EXTRACT(month FROM c.less_one) = 11
                    AND EXTRACT(day FROM c.less_one) - EXTRACT(dow FROM c.less_one) < 1
                )
            )
            THEN DATEADD(hour, c.summer_hours, c.utc_hour)
        ELSE DATEADD(hour, c.standard_hours, c.utc_hour)
    END AS local_hour
FROM (
    SELECT
        z.time_zone, z.standard_hours, z.summer_hours, h.utc_hour,
        DATEADD(hour, z.standard_hours - 2, h.utc_hour) AS less_two,
        DATEADD(hour, z.standard_hours - 1, h.utc_hour) AS less_one
    FROM (
        SELECT DISTINCT DATE_TRUNC('hour', p.start_time) AS utc_hour
        FROM songplays AS p
        WHERE p.start_time >= '2008-01-01'::TIMESTAMP
    ) AS h
    -- Hours to add to UTC, in winter and in summer.
    CROSS JOIN (
        SELECT 'America/Puerto_Rico' AS time_zone, -4 AS standard_hours, -4 AS summer_hours
        UNION ALL
        SELECT 'America/New_York' AS time_zone, -5 AS standard_hours, -4 AS summer_hours
        UNION ALL
        SELECT 'America/Chicago' AS time_zone, -6 AS standard_hours, -5 AS summer_hours
        UNION ALL
        SELECT 'America/Denver' AS time_zone, -7 AS standard_hours, -6 AS summer_hours
        UNION ALL
        SELECT 'America/Phoenix' AS time_zone, -7 AS standard_hours, -7 AS summer_hours
        UNION ALL
        SELECT 'America/Los_Angeles' AS time_zone, -8 AS standard_hours, -7 AS summer_hours
        UNION ALL
        SELECT 'America/Anchorage' AS time_zone, -9 AS standard_hours, -8 AS summer_hours
        UNION ALL
        SELECT 'Pacific/Honolulu' AS time_zone, -10 AS standard_hours, -10 AS summer_hours
    ) AS z
) AS c;
