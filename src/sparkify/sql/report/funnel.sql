-- From free to paid, and away
-- Events of the range on the pages of upgrade, downgrade and cancellation, each event once. people: those
-- who were on the page, each once. The steps need not follow each other within the range: no rates are
-- computed of them.
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
        e.user_id <> '' AND e.ts >= :ts_since AND e.ts < :ts_until
        AND e.page IN (
            'Upgrade', 'Submit Upgrade', 'Downgrade', 'Submit Downgrade',
            'Cancel', 'Cancellation Confirmation'
        )
) AS f
GROUP BY f.page
ORDER BY 1;
