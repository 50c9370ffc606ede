-- Empty the run's tables after an earlier batch of the same run, except the landed records.
DELETE FROM run_files;

DELETE FROM run_moves;

DELETE FROM run_moments;

DELETE FROM run_changed_songs;

DELETE FROM run_changed_artists;

DELETE FROM run_changed_titles;

DELETE FROM run_changed_users;

DELETE FROM run_lost_users;

DELETE FROM run_rematched;
