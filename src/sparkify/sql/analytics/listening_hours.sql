-- When people listen: plays by weekday and hour (UTC). One row per weekday and hour with plays.
-- grain: weekday, hour
-- weekday 0 is Sunday. listeners are distinct people.
CREATE VIEW analytics.listening_hours AS
SELECT
    CAST(EXTRACT(dow FROM p.start_time) AS INTEGER) AS weekday,
    CAST(EXTRACT(hour FROM p.start_time) AS INTEGER) AS hour,
    COUNT(*) AS plays,
    COUNT(DISTINCT p.user_id) AS listeners
FROM songplays AS p
GROUP BY EXTRACT(dow FROM p.start_time), EXTRACT(hour FROM p.start_time);
