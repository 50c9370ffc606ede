-- of 599159d0b139f803
INSERT INTO run_changed_songs SELECT DISTINCT song_id FROM staging_songs WHERE file_id IN (SELECT file_id FROM run_files);
-- of ba2b8184245dddfa
INSERT INTO run_changed_artists SELECT DISTINCT artist_id FROM staging_songs WHERE file_id IN (SELECT file_id FROM run_files);
-- of 983dc8972474bf81
DELETE FROM users WHERE user_id IN (SELECT user_id FROM staging_events WHERE file_id IN (SELECT file_id FROM run_files));
-- of dab61f86bcba9e6b
DELETE FROM staging_events USING run_files WHERE staging_events.file_id = run_files.file_id;
-- of d2fd6347b4cf4a60
DELETE FROM staging_songs USING run_files WHERE staging_songs.file_id = run_files.file_id;
