-- of 4577a6030d2ef11d
DELETE FROM run_events WHERE file_id IN (SELECT file_id FROM run_files);
-- of 547c7c53f6dda8fe
DELETE FROM run_songs WHERE file_id IN (SELECT file_id FROM run_files);
-- of 316cb7547f6122d2
DELETE FROM run_files;
