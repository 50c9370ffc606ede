-- Free and paid in total
-- One row per level of the plays of the range. level is the one each play was on. Listeners and sessions are
-- counted once on each level: they do not add up, since some are on both.
SELECT
    s.level,
    CAST(SUM(s.plays) AS BIGINT) AS plays,
    COUNT(DISTINCT s.user_id) AS listeners,
    COUNT(*) AS sessions,
    CAST(SUM(s.plays) AS DOUBLE PRECISION) / COUNT(DISTINCT s.user_id) AS plays_per_listener
FROM (
    SELECT v.level, v.user_id, v.session_id, SUM(v.plays) AS plays
    FROM visits AS v
    GROUP BY v.level, v.user_id, v.session_id
) AS s
GROUP BY s.level
ORDER BY 2 DESC, 1;
