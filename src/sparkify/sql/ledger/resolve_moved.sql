-- Mark the rejected records of later versions of files (run_moves) as resolved: the loaded version is back.
UPDATE etl.rejects SET resolved_by = :run_id
FROM run_moves
WHERE
    rejects.file_id = run_moves.file_id
    AND rejects.run_id > run_moves.run_id
    AND rejects.resolved_by IS NULL;
