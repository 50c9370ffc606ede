-- Give files their new names (run_moves). Their rows in staging stay, and so do
-- their states.
UPDATE etl.files SET
    uri = run_moves.uri,
    size = run_moves.size,
    version = run_moves.version,
    content = run_moves.content,
    reason = CASE WHEN files.state = 'set_aside' THEN files.reason END,
    detail = CASE WHEN files.state = 'set_aside' THEN files.detail END
FROM run_moves
WHERE files.file_id = run_moves.file_id AND files.run_id = run_moves.run_id;
