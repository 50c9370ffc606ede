-- People by month
-- One row per month (UTC) that begins or lies in the range, whole months always; the latest 60. people: with
-- any event in the month, each once. mean_daily_people: people a day, in the mean of the days on which
-- somebody was there. stickiness: that divided by people; 1 would mean that everybody was there every day.
SELECT
    m.month,
    m.people,
    m.listeners,
    m.new_people,
    m.mean_daily_people,
    m.stickiness,
    m.plays
FROM (
    SELECT
        a.month,
        a.people,
        a.listeners,
        a.new_people,
        a.mean_daily_people,
        a.stickiness,
        a.plays
    FROM analytics.monthly_activity AS a
    WHERE a.month >= CAST(DATE_TRUNC('month', :since) AS DATE) AND a.month < CAST(:until AS DATE)
    ORDER BY a.month DESC
    LIMIT 60
) AS m
ORDER BY m.month;
