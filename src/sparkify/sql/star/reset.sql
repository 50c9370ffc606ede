-- For a full refresh: empty the star, and mark every song and artist of staging as changed.
DELETE FROM songplays;

DELETE FROM time;

DELETE FROM users;

DELETE FROM songs;

DELETE FROM artists;

DELETE FROM etl.days;

DELETE FROM etl.played_titles;

DELETE FROM run_changed_songs;

DELETE FROM run_changed_artists;

INSERT INTO run_changed_songs SELECT DISTINCT song_id FROM staging_songs;

INSERT INTO run_changed_artists SELECT DISTINCT artist_id FROM staging_songs;

DELETE FROM run_lost_users;
