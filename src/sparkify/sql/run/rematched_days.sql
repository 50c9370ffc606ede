-- The days of the plays of earlier runs that were written anew because their song may be another one.
SELECT DISTINCT CAST(r.start_time AS DATE) AS day
FROM run_rematched AS r
ORDER BY day;
