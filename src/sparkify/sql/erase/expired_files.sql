-- Files (run_files) that held nothing but what is before that moment are known as that, and stay out.
UPDATE etl.files SET state = 'expired'
WHERE
    state = 'loaded' AND rows_loaded = 0 AND rows_rejected = 0
    AND file_id IN (SELECT file_id FROM run_files);
