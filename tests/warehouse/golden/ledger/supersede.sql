UPDATE etl.files SET state = $state WHERE state = 'loaded' AND file_id IN (SELECT file_id FROM run_files);
