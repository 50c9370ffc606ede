-- Who was there, by month (UTC), and how often. One row per month in which somebody was.
-- grain: month
-- month is the date of its first day. people: with any event. listeners: with a play. new_people: whose
-- first event of all lies in the month. mean_daily_people: people of a day, in the mean of the month's
-- days on which somebody was. stickiness: that, divided by people: 1 means that everybody was there every
-- day.
CREATE VIEW analytics.monthly_activity AS
WITH there AS (
    SELECT u.user_id, u.day, CAST(DATE_TRUNC('month', u.day) AS DATE) AS month
    FROM analytics.user_days AS u
),

user_months AS (
    SELECT t.user_id, t.month, COUNT(*) AS days
    FROM there AS t
    GROUP BY t.user_id, t.month
),

firsts AS (
    SELECT u.user_id, MIN(u.month) AS month
    FROM user_months AS u
    GROUP BY u.user_id
),

days AS (
    SELECT t.month, COUNT(DISTINCT t.day) AS days
    FROM there AS t
    GROUP BY t.month
),

of_people AS (
    SELECT u.month, COUNT(*) AS people, COUNT(f.user_id) AS new_people, SUM(u.days) AS person_days
    FROM user_months AS u
    LEFT JOIN firsts AS f ON u.user_id = f.user_id AND u.month = f.month
    GROUP BY u.month
),

of_plays AS (
    SELECT
        CAST(DATE_TRUNC('month', l.day) AS DATE) AS month,
        COUNT(DISTINCT l.user_id) AS listeners,
        CAST(SUM(l.plays) AS BIGINT) AS plays
    FROM analytics.listener_days AS l
    GROUP BY CAST(DATE_TRUNC('month', l.day) AS DATE)
)

SELECT
    m.month,
    m.people,
    COALESCE(p.listeners, 0) AS listeners,
    COALESCE(p.plays, 0) AS plays,
    m.new_people,
    CAST(m.person_days AS DOUBLE PRECISION) / d.days AS mean_daily_people,
    CAST(m.person_days AS DOUBLE PRECISION) / (d.days * m.people) AS stickiness
FROM of_people AS m
INNER JOIN days AS d ON m.month = d.month
LEFT JOIN of_plays AS p ON m.month = p.month;
