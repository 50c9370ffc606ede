-- Hours of each day
-- Plays by UTC day, hour and level, for the filter by date; the latest 366 days of the range.
SELECT
    CAST(h.utc_hour AS DATE) AS day,
    h.level,
    CAST(EXTRACT(hour FROM h.utc_hour) AS INTEGER) AS hour,
    CAST(SUM(h.plays) AS BIGINT) AS plays
FROM hours_played AS h
WHERE h.utc_hour >= :days_since
GROUP BY h.utc_hour, h.level
ORDER BY 1, 2, 3;
