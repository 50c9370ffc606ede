-- The days of the run's moments: how many of its events came or went, and how many the day had before.
SELECT m.midnight, m.events, m.ts_from, m.ts_to, COALESCE(d.events, 0) AS events_before
FROM (
    SELECT ts - MOD(ts, 86400000) AS midnight, COUNT(*) AS events, MIN(ts) AS ts_from, MAX(ts) AS ts_to
    FROM run_moments
    GROUP BY ts - MOD(ts, 86400000)
) AS m
LEFT JOIN etl.days AS d ON d.day = CAST(DATEADD(ms, m.midnight, '1970-01-01'::TIMESTAMP) AS DATE)
ORDER BY m.midnight;
