-- The start times of the plays of a piece of the run's scope. week is ISO; weekday 0 is Sunday.
-- Written in their order, so that few blocks are read where a later run touches few moments.
DELETE FROM time
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP);

INSERT INTO time (start_time, hour, day, week, month, year, weekday)
SELECT
    p.start_time,
    EXTRACT(hour FROM p.start_time) AS hour,
    EXTRACT(day FROM p.start_time) AS day,
    EXTRACT(week FROM p.start_time) AS week,
    EXTRACT(month FROM p.start_time) AS month,
    EXTRACT(year FROM p.start_time) AS year,
    EXTRACT(dow FROM p.start_time) AS weekday
FROM (
    SELECT DISTINCT start_time
    FROM songplays
    WHERE
        start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
        start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
) AS p
ORDER BY p.start_time;
