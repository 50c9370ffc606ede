-- of 2f9b287774eb2c4b
SELECT MIN(ts) AS ts_from, MAX(ts) AS ts_to FROM staging_events WHERE file_id IN (SELECT file_id FROM run_files);
