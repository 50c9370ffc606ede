-- Who listened on which level, by UTC day. One row per day and level with plays.
-- grain: day, level
-- level is the one the play was on; NULL: unknown. Somebody who changes level is counted under both.
CREATE VIEW analytics.daily_levels AS
SELECT
    CAST(p.start_time AS DATE) AS day,
    p.level,
    COUNT(DISTINCT p.user_id) AS listeners,
    COUNT(*) AS plays
FROM songplays AS p
GROUP BY CAST(p.start_time AS DATE), p.level;
