-- What landed of every log file of this run: rows, plays, the range of their times, and rows that want a
-- closer look.
SELECT
    file_id,
    COUNT(*) AS landed,
    COUNT(CASE WHEN page = 'NextSong' THEN 1 END) AS plays,
    MIN(ts) AS ts_from,
    MAX(ts) AS ts_to,
    COUNT(CASE WHEN suspect THEN 1 END) AS suspects
FROM run_events
GROUP BY file_id;
