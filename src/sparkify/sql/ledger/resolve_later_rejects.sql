-- Mark the rejected records of later versions of loaded files (run_files) as resolved: yet another version is
-- set aside now. Those of the loaded version stay.
UPDATE etl.rejects SET resolved_by = :run_id
FROM etl.files AS f
WHERE
    rejects.file_id = f.file_id
    AND f.state = 'loaded'
    AND rejects.run_id > f.run_id
    AND rejects.resolved_by IS NULL
    AND rejects.file_id IN (SELECT file_id FROM run_files);
