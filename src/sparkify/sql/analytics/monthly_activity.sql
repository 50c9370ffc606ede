-- Who was there, by month (UTC), and how often. One row per month in which somebody was.
-- grain: month
-- month is the date of its first day. people: with any event. listeners: with a play. new_people: whose
-- first event of all lies in the month. mean_daily_people: people of a day, in the mean of the month's
-- days on which somebody was. stickiness: that, divided by people: 1 means that everybody was there every
-- day.
CREATE VIEW analytics.monthly_activity AS
WITH of_days AS (
    SELECT
        u.day,
        CAST(DATE_TRUNC('month', u.day) AS DATE) AS month,
        COUNT(*) AS people,
        -- Of whom it is the first day in the month, or of all.
        COUNT(
            CASE
                WHEN u.day_before IS NULL OR u.day_before < CAST(DATE_TRUNC('month', u.day) AS DATE) THEN 1
            END
        ) AS first_in_month,
        COUNT(CASE WHEN u.day_before IS NULL THEN 1 END) AS new_people
    FROM analytics.user_days AS u
    GROUP BY u.day
),

of_people AS (
    SELECT
        d.month,
        CAST(SUM(d.first_in_month) AS BIGINT) AS people,
        CAST(SUM(d.new_people) AS BIGINT) AS new_people,
        CAST(SUM(d.people) AS BIGINT) AS person_days,
        COUNT(d.day) AS days
    FROM of_days AS d
    GROUP BY d.month
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
    CAST(m.person_days AS DOUBLE PRECISION) / m.days AS mean_daily_people,
    CAST(m.person_days AS DOUBLE PRECISION) / (m.days * m.people) AS stickiness
FROM of_people AS m
LEFT JOIN of_plays AS p ON m.month = p.month;
