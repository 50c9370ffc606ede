INSERT INTO run_changed_songs SELECT DISTINCT song_id FROM staging_songs WHERE file_id IN (SELECT file_id FROM run_files);
INSERT INTO run_changed_artists SELECT DISTINCT artist_id FROM staging_songs WHERE file_id IN (SELECT file_id FROM run_files);
DELETE FROM users WHERE user_id IN (SELECT user_id FROM staging_events WHERE file_id IN (SELECT file_id FROM run_files));
DELETE FROM staging_events USING run_files WHERE staging_events.file_id = run_files.file_id;
DELETE FROM staging_songs USING run_files WHERE staging_songs.file_id = run_files.file_id;
