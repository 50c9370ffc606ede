DELETE FROM run_events;
DELETE FROM run_songs;
DELETE FROM run_files;
DELETE FROM run_changed_songs;
DELETE FROM run_changed_artists;
DELETE FROM run_changed_titles;
DELETE FROM run_song_matches;
