-- The users of events that are about to be removed (run_files): computed anew from every event that is left.
DELETE FROM users
WHERE user_id IN (
    SELECT user_id FROM staging_events WHERE file_id IN (SELECT file_id FROM run_files)
);
