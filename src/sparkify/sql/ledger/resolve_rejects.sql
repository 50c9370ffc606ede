-- Mark the rejected records of files that are loaded anew, or taken out (run_files), as resolved.
UPDATE etl.rejects SET resolved_by = :run_id
WHERE resolved_by IS NULL AND file_id IN (SELECT file_id FROM run_files);
