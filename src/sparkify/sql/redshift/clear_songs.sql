-- Empty what was copied.
DELETE FROM run_song_copy;
