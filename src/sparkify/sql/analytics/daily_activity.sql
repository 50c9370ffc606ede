-- Who was there, by UTC day. One row per day on which somebody was.
-- grain: day
-- people: with any event. listeners: with a play. new_people: with no earlier event; returning_people: with
-- one. lost_people: with an event on the day and none in the 28 days after it; NULL while the last event of
-- all is less than 28 days later. People do not add up over days: most are there on several.
CREATE VIEW analytics.daily_activity AS
WITH of_people AS (
    SELECT
        u.day,
        COUNT(*) AS people,
        COUNT(CASE WHEN u.day_before IS NULL THEN 1 END) AS new_people,
        COUNT(u.day_before) AS returning_people,
        COUNT(
            CASE WHEN u.day_after IS NULL OR DATEDIFF(day, u.day, u.day_after) > 28 THEN 1 END
        ) AS lost_people
    FROM analytics.user_days AS u
    GROUP BY u.day
),

of_plays AS (
    SELECT
        l.day,
        COUNT(DISTINCT l.user_id) AS listeners,
        CAST(SUM(l.plays) AS BIGINT) AS plays
    FROM analytics.listener_days AS l
    GROUP BY l.day
)

SELECT
    d.day,
    d.people,
    COALESCE(p.listeners, 0) AS listeners,
    COALESCE(p.plays, 0) AS plays,
    d.new_people,
    d.returning_people,
    CASE
        WHEN DATEDIFF(day, d.day, (SELECT MAX(l.day) FROM of_people AS l)) >= 28 THEN d.lost_people
    END AS lost_people
FROM of_people AS d
LEFT JOIN of_plays AS p ON d.day = p.day;
