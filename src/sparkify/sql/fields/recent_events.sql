-- How many events the last seven days with events hold.
SELECT
    MIN(r.first_ts) AS ts_from,
    SUM(r.events) AS events
FROM (
    SELECT
        d.first_ts,
        d.events
    FROM etl.days AS d
    ORDER BY d.day DESC
    LIMIT 7
) AS r;

-- What events from a moment on hold that has no column.
SELECT e.extra
FROM staging_events AS e
WHERE e.ts >= :ts_from AND e.extra IS NOT NULL;
