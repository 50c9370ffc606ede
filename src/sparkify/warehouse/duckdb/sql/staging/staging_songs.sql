-- of ad6b7330306d5fb0
INSERT INTO staging_songs (num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title, duration, year, file_id) SELECT num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title, duration, year, file_id FROM run_songs;
-- of a15552183e80240a
INSERT INTO run_changed_songs SELECT DISTINCT song_id FROM run_songs;
-- of 957b059c2e74242f
INSERT INTO run_changed_artists SELECT DISTINCT artist_id FROM run_songs;
