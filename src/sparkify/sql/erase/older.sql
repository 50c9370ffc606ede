-- Take the events before a moment out of staging, and what the star knows by them alone.
INSERT INTO run_changed_users SELECT u.user_id FROM users AS u WHERE u.last_seen_ts < :before_ts;

DELETE FROM users WHERE last_seen_ts < :before_ts;

DELETE FROM staging_events WHERE ts < :before_ts;

DELETE FROM etl.played_titles WHERE played_to < :before_ts;

UPDATE etl.played_titles SET played_from = :before_ts WHERE played_from < :before_ts;
