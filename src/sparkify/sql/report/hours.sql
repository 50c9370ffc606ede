-- When people listen
-- Plays of the range by weekday and hour, in UTC. weekday 0 is Sunday. A weekday that the range holds once
-- more than another has more plays for that alone.
SELECT
    CAST(EXTRACT(dow FROM h.utc_hour) AS INTEGER) AS weekday,
    CAST(EXTRACT(hour FROM h.utc_hour) AS INTEGER) AS hour,
    h.level,
    CAST(SUM(h.plays) AS BIGINT) AS plays
FROM hours_played AS h
GROUP BY EXTRACT(dow FROM h.utc_hour), EXTRACT(hour FROM h.utc_hour), h.level
ORDER BY 1, 2, 3;
