-- Free and paid by day
-- One row per UTC day and level with plays; the latest 366 days of the range. level is the one each play was
-- on. Plays add up over days and levels; listeners do not: somebody who changes level is counted under both.
SELECT
    d.day,
    d.level,
    d.plays,
    d.listeners
FROM analytics.daily_levels AS d
WHERE d.day >= CAST(:days_since AS DATE) AND d.day < CAST(:until AS DATE)
ORDER BY d.day, d.level;
