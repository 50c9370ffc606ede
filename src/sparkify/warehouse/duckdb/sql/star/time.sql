-- of 2cd25c643e24ffc3
DELETE FROM time WHERE start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND;
-- of 684e9d372b8480a6
INSERT INTO time (start_time, hour, day, week, month, year, weekday) SELECT p.start_time, EXTRACT(HOUR FROM p.start_time) AS hour, EXTRACT(DAY FROM p.start_time) AS day, EXTRACT(WEEK FROM p.start_time) AS week, EXTRACT(MONTH FROM p.start_time) AS month, EXTRACT(YEAR FROM p.start_time) AS year, EXTRACT(DAYOFWEEK FROM p.start_time) AS weekday FROM (SELECT DISTINCT start_time FROM songplays WHERE start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND) AS p;
