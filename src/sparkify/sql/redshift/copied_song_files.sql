-- Which files have a record that was copied.
SELECT DISTINCT file_id FROM run_song_copy;
