-- of 7cb0440fd60a5f78
DELETE FROM songplays;
-- of e33b34f34dd62b80
DELETE FROM time;
-- of 0f840aa3904e5d0c
DELETE FROM users;
-- of 4c29d779ce7ec60e
DELETE FROM songs;
-- of f8c9284f8de873f8
DELETE FROM artists;
-- of a6c50e3e4fec521f
DELETE FROM run_changed_songs;
-- of 34abbe8d9a005594
DELETE FROM run_changed_artists;
-- of 2bf6084257a9e07c
INSERT INTO run_changed_songs SELECT DISTINCT song_id FROM staging_songs;
-- of 199bb1d69c65cf39
INSERT INTO run_changed_artists SELECT DISTINCT artist_id FROM staging_songs;
