-- The time range of the events in files about to be replaced or retracted (run_files).
SELECT MIN(ts) AS ts_from, MAX(ts) AS ts_to
FROM staging_events
WHERE file_id IN (SELECT file_id FROM run_files);
