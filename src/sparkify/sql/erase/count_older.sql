-- How many records of each file are erased because they are before a moment.
INSERT INTO run_erased_files (file_id, rows_erased, plays_erased)
SELECT s.file_id, COUNT(*) AS rows_erased, COUNT(CASE WHEN s.page = 'NextSong' THEN 1 END) AS plays_erased
FROM staging_events AS s
WHERE s.ts < :before_ts
GROUP BY s.file_id;
