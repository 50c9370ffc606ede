-- The events before a moment, of those that landed.
INSERT INTO run_erased_files (file_id, rows_erased, plays_erased)
SELECT r.file_id, COUNT(*) AS rows_erased, COUNT(CASE WHEN r.page = 'NextSong' THEN 1 END) AS plays_erased
FROM run_events AS r
WHERE r.ts < :before_ts
GROUP BY r.file_id;

DELETE FROM run_events WHERE ts < :before_ts;
