-- When people listen by their own clocks: plays by weekday and hour of local time. One row per weekday and
-- hour with plays, and one for plays whose local time is not known.
-- grain: weekday, hour
-- weekday 0 is Sunday; both are NULL where analytics.local_plays has no local time. listeners are distinct
-- people. The same moment is another hour in each time zone: of UTC there is analytics.listening_hours.
CREATE VIEW analytics.listening_hours_local AS
SELECT
    CAST(EXTRACT(dow FROM p.local_time) AS INTEGER) AS weekday,
    CAST(EXTRACT(hour FROM p.local_time) AS INTEGER) AS hour,
    COUNT(*) AS plays,
    COUNT(DISTINCT p.user_id) AS listeners
FROM analytics.local_plays AS p
GROUP BY EXTRACT(dow FROM p.local_time), EXTRACT(hour FROM p.local_time);
