INSERT INTO staging_songs (num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title, duration, year, file_id) SELECT num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title, duration, year, file_id FROM run_songs;
INSERT INTO run_changed_songs SELECT DISTINCT song_id FROM run_songs;
INSERT INTO run_changed_artists SELECT DISTINCT artist_id FROM run_songs;
