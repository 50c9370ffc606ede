-- Record the songs and artists of the records about to be removed (run_files).
INSERT INTO run_changed_songs
SELECT DISTINCT song_id FROM staging_songs WHERE file_id IN (SELECT file_id FROM run_files);

INSERT INTO run_changed_artists
SELECT DISTINCT artist_id FROM staging_songs WHERE file_id IN (SELECT file_id FROM run_files);
