-- Who was there, by week (UTC, from Monday on). One row per week in which somebody was.
-- grain: week
-- week is the date of its Monday. people: with any event. listeners: with a play. new_people: whose first
-- event of all lies in the week.
CREATE VIEW analytics.weekly_activity AS
WITH of_people AS (
    -- The first day of each person in the week.
    SELECT
        CAST(DATE_TRUNC('week', u.day) AS DATE) AS week,
        COUNT(*) AS people,
        COUNT(CASE WHEN u.day_before IS NULL THEN 1 END) AS new_people
    FROM analytics.user_days AS u
    WHERE u.day_before IS NULL OR u.day_before < CAST(DATE_TRUNC('week', u.day) AS DATE)
    GROUP BY CAST(DATE_TRUNC('week', u.day) AS DATE)
),

of_plays AS (
    SELECT
        CAST(DATE_TRUNC('week', l.day) AS DATE) AS week,
        COUNT(DISTINCT l.user_id) AS listeners,
        CAST(SUM(l.plays) AS BIGINT) AS plays
    FROM analytics.listener_days AS l
    GROUP BY CAST(DATE_TRUNC('week', l.day) AS DATE)
)

SELECT
    w.week,
    w.people,
    COALESCE(p.listeners, 0) AS listeners,
    COALESCE(p.plays, 0) AS plays,
    w.new_people
FROM of_people AS w
LEFT JOIN of_plays AS p ON w.week = p.week;
