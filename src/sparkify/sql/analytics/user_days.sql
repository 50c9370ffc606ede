-- On which days people were there. One row per user and UTC day with any event.
-- grain: user_id, day
-- day_before and day_after are the nearest other days on which the person was there; NULL: there is none.
CREATE VIEW analytics.user_days AS
SELECT
    u.user_id,
    u.day,
    LAG(u.day) OVER (PARTITION BY u.user_id ORDER BY u.day) AS day_before,
    LEAD(u.day) OVER (PARTITION BY u.user_id ORDER BY u.day) AS day_after
FROM (
    SELECT d.user_id, CAST(DATEADD(ms, d.midnight, '1970-01-01'::TIMESTAMP) AS DATE) AS day
    FROM (
        SELECT DISTINCT e.user_id, e.ts - MOD(e.ts, 86400000) AS midnight
        FROM staging_events AS e
        WHERE e.user_id <> ''
    ) AS d
) AS u;
