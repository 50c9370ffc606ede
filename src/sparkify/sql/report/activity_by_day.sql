-- People and plays by day
-- One row per UTC day on which somebody was there; the latest 366 days of the range. people: with any event.
-- listeners: with a play. new_people: with no earlier event; returning_people: with one; lost_people: with
-- none in the 28 days after, empty until those have passed. Earlier and later events count wherever they
-- lie, in the range or not. People do not add up over days.
SELECT
    a.day,
    a.people,
    a.listeners,
    a.plays,
    a.new_people,
    a.returning_people,
    a.lost_people
FROM analytics.daily_activity AS a
WHERE a.day >= CAST(:days_since AS DATE) AND a.day < CAST(:until AS DATE)
ORDER BY a.day;
