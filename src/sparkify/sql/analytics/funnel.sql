-- The way from free to paid, back, and away: how often people were on its pages. One row per page that
-- somebody was on.
-- grain: page
-- step orders them. events counts every event once; people are distinct. Counts and no rates: they are small,
-- and somebody may do it again.
CREATE VIEW analytics.funnel AS
SELECT
    CASE f.page
        WHEN 'Upgrade' THEN 1
        WHEN 'Submit Upgrade' THEN 2
        WHEN 'Downgrade' THEN 3
        WHEN 'Submit Downgrade' THEN 4
        WHEN 'Cancel' THEN 5
        ELSE 6
    END AS step,
    f.page,
    COUNT(*) AS events,
    COUNT(DISTINCT f.user_id) AS people
FROM (
    SELECT DISTINCT e.user_id, e.session_id, e.item_in_session, e.ts, e.page
    FROM staging_events AS e
    WHERE
        e.user_id <> ''
        AND e.page IN (
            'Upgrade', 'Submit Upgrade', 'Downgrade', 'Submit Downgrade', 'Cancel',
            'Cancellation Confirmation'
        )
) AS f
GROUP BY f.page;
