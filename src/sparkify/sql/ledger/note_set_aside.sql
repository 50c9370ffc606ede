-- Note on loaded files why their later versions are set aside (run_moves).
UPDATE etl.files SET reason = run_moves.reason, detail = run_moves.detail
FROM run_moves
WHERE files.state = 'loaded' AND files.file_id = run_moves.file_id;
