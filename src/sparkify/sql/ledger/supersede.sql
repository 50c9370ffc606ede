-- The versions of this run's files (run_files) that were loaded before are not any more.
UPDATE etl.files SET state = :state
WHERE state = 'loaded' AND file_id IN (SELECT file_id FROM run_files);
