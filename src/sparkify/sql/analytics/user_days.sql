-- On which days people were there. One row per user and UTC day with any event.
-- grain: user_id, day
CREATE VIEW analytics.user_days AS
SELECT d.user_id, CAST(DATEADD(ms, d.midnight, '1970-01-01'::TIMESTAMP) AS DATE) AS day
FROM (
    SELECT DISTINCT e.user_id, e.ts - MOD(e.ts, 86400000) AS midnight
    FROM staging_events AS e
    WHERE e.user_id <> ''
) AS d;
