-- People by week
-- One row per week from Monday on (UTC) whose Monday lies in the latest 366 days of the range; the first and
-- the last may be counted beyond the range. people: with any event in the week, each once; new_people: whose
-- first event of all lies in it. People do not add up over weeks.
SELECT
    a.week,
    a.people,
    a.listeners,
    a.new_people,
    a.plays
FROM analytics.weekly_activity AS a
WHERE a.week >= CAST(DATE_TRUNC('week', :days_since) AS DATE) AND a.week < CAST(:until AS DATE)
ORDER BY a.week;
