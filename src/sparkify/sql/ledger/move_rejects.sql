-- Give the rejected records of files their new names (run_moves).
UPDATE etl.rejects SET uri = run_moves.uri
FROM run_moves
WHERE rejects.file_id = run_moves.file_id AND rejects.run_id = run_moves.run_id;
