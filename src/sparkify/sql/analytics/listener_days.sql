-- On which days people listened, and on which level. One row per user, UTC day and level with plays.
-- grain: user_id, day, level
-- level is the one the plays were on; NULL: unknown. Days of people who only looked round are in user_days.
CREATE VIEW analytics.listener_days AS
SELECT
    p.user_id,
    CAST(p.start_time AS DATE) AS day,
    p.level,
    COUNT(*) AS plays
FROM songplays AS p
GROUP BY p.user_id, CAST(p.start_time AS DATE), p.level;
