-- Free and paid in total
-- One row per level of the plays of the range. level is the one each play was on. Listeners and sessions are
-- counted once on each level: they do not add up, since some are on both.
SELECT
    v.level,
    CAST(SUM(v.plays) AS BIGINT) AS plays,
    COUNT(DISTINCT v.user_id) AS listeners,
    COUNT(*) AS sessions,
    CAST(SUM(v.plays) AS DOUBLE PRECISION) / COUNT(DISTINCT v.user_id) AS plays_per_listener
FROM visits AS v
GROUP BY v.level
ORDER BY 2 DESC, 1;
