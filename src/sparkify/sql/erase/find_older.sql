-- The events before a moment.
SELECT
    COUNT(*) AS events,
    COUNT(CASE WHEN s.page = 'NextSong' THEN 1 END) AS plays,
    MIN(s.ts) AS first_ts,
    MAX(s.ts) AS last_ts
FROM staging_events AS s
WHERE s.ts < :before_ts;
