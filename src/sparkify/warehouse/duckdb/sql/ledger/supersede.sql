-- of 6cb3583a6746d932
UPDATE etl.files SET state = $state WHERE state IN ('loaded', 'retracted') AND file_id IN (SELECT file_id FROM run_files);
