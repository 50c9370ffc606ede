-- Note the songs and artists among the records that this run accepts.
INSERT INTO run_changed_songs SELECT DISTINCT song_id FROM run_songs;

INSERT INTO run_changed_artists SELECT DISTINCT artist_id FROM run_songs;
