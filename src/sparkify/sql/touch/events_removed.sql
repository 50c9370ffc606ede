-- The moments of events about to be removed (run_files), and the people whose latest event is among them.
INSERT INTO run_moments
SELECT ts FROM staging_events WHERE file_id IN (SELECT file_id FROM run_files);

INSERT INTO run_lost_users
SELECT DISTINCT u.user_id, u.last_seen_ts
FROM users AS u
INNER JOIN (
    SELECT user_id, ts FROM staging_events WHERE file_id IN (SELECT file_id FROM run_files)
) AS e ON u.user_id = e.user_id AND u.last_seen_ts = e.ts;

INSERT INTO run_changed_users SELECT user_id FROM run_lost_users;

DELETE FROM users WHERE user_id IN (SELECT user_id FROM run_lost_users);
