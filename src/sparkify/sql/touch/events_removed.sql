-- The users of events about to be removed (run_files): they are computed again from the remaining events.
DELETE FROM users
WHERE user_id IN (
    SELECT user_id FROM staging_events WHERE file_id IN (SELECT file_id FROM run_files)
);
