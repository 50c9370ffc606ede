DELETE FROM run_events WHERE file_id IN (SELECT file_id FROM run_files);
DELETE FROM run_songs WHERE file_id IN (SELECT file_id FROM run_files);
DELETE FROM run_files;
