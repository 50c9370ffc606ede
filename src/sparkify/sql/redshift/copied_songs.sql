-- How many records were copied.
SELECT COUNT(*) AS copied FROM run_song_copy;
