-- Mark the former versions of this run's files (run_files) as no longer current.
UPDATE etl.files SET state = :state
WHERE
    state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired')
    AND file_id IN (SELECT file_id FROM run_files);
