-- The files a run loaded whose rows are still in staging.
SELECT file_id, uri FROM etl.files WHERE state = 'loaded' AND run_id = :run_id;
