-- Record the songs and artists of the records that this run accepts.
INSERT INTO run_changed_songs SELECT DISTINCT song_id FROM run_songs;

INSERT INTO run_changed_artists SELECT DISTINCT artist_id FROM run_songs;
