-- Who was there, by week (UTC, from Monday on). One row per week in which somebody was.
-- grain: week
-- week is the date of its Monday. people: with any event. listeners: with a play. new_people: whose first
-- event of all lies in the week.
CREATE VIEW analytics.weekly_activity AS
WITH user_weeks AS (
    SELECT DISTINCT u.user_id, CAST(DATE_TRUNC('week', u.day) AS DATE) AS week
    FROM analytics.user_days AS u
),

firsts AS (
    SELECT u.user_id, MIN(u.week) AS week
    FROM user_weeks AS u
    GROUP BY u.user_id
),

of_people AS (
    SELECT u.week, COUNT(*) AS people, COUNT(f.user_id) AS new_people
    FROM user_weeks AS u
    LEFT JOIN firsts AS f ON u.user_id = f.user_id AND u.week = f.week
    GROUP BY u.week
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
