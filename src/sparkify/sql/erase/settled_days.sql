-- The days that have events, after some of theirs went (run_gone), of which the first and the last event
-- and the longest stretch without one are what they were: before and after each event that went there is
-- another one of that day, and these are no farther apart than some others were before. They are looked for
-- within a minute or two, among the stretches of 65,536 ms beside the one of the event: shifted right by 16
-- bits, times are numbers of such stretches.
WITH gone AS (
    SELECT DISTINCT g.ts, g.ts - MOD(g.ts, 86400000) AS midnight FROM run_gone AS g
),

sought AS (
    SELECT g.ts, g.midnight, g.ts >> 16 AS stretch FROM gone AS g
    UNION ALL
    SELECT g.ts, g.midnight, (g.ts >> 16) - 1 AS stretch FROM gone AS g
    UNION ALL
    SELECT g.ts, g.midnight, (g.ts >> 16) + 1 AS stretch FROM gone AS g
),

neighbours AS (
    SELECT
        s.ts,
        s.midnight,
        MAX(CASE WHEN e.ts BETWEEN s.midnight AND s.ts THEN e.ts END) AS before_ts,
        MIN(CASE WHEN e.ts BETWEEN s.ts AND s.midnight + 86399999 THEN e.ts END) AS after_ts
    FROM sought AS s
    INNER JOIN staging_events AS e ON (e.ts >> 16) = s.stretch
    WHERE e.ts BETWEEN :days_from AND :days_to
    GROUP BY s.ts, s.midnight
),

settled AS (
    SELECT n.midnight, COUNT(*) AS moments
    FROM neighbours AS n
    INNER JOIN etl.days AS d ON d.first_ts BETWEEN n.midnight AND n.midnight + 86399999
    WHERE n.after_ts - n.before_ts <= d.gap_within_ms
    GROUP BY n.midnight
)

SELECT s.midnight
FROM settled AS s
INNER JOIN (
    SELECT g.midnight, COUNT(*) AS moments
    FROM gone AS g
    GROUP BY g.midnight
) AS a ON s.midnight = a.midnight AND s.moments = a.moments
ORDER BY s.midnight;
