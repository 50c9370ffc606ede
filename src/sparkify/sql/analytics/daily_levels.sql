-- Who listened on which level, by UTC day. One row per day and level with plays.
-- grain: day, level
-- level is the one the play was on; NULL: unknown. Somebody who changes level is counted under both.
CREATE VIEW analytics.daily_levels AS
SELECT
    l.day,
    l.level,
    COUNT(l.user_id) AS listeners,
    CAST(SUM(l.plays) AS BIGINT) AS plays
FROM analytics.listener_days AS l
GROUP BY l.day, l.level;
