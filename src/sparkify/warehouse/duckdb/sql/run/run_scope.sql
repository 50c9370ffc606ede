-- of 30b6705fd117473b
CREATE TEMPORARY TABLE IF NOT EXISTS run_files (file_id BIGINT NOT NULL);
-- of 32dfb2cd299d0dfc
CREATE TEMPORARY TABLE IF NOT EXISTS run_changed_songs (song_id TEXT(64) NOT NULL);
-- of 9acceddb17a4dd5a
CREATE TEMPORARY TABLE IF NOT EXISTS run_changed_artists (artist_id TEXT(64) NOT NULL);
-- of 74f0722414d4e812
CREATE TEMPORARY TABLE IF NOT EXISTS run_changed_titles (title TEXT(1024), artist_name TEXT(1024));
-- of 8409ed4ed9a25681
CREATE TEMPORARY TABLE IF NOT EXISTS run_song_matches (song TEXT(1024), artist TEXT(1024), length DOUBLE, song_id TEXT(64), artist_id TEXT(64), song_match TEXT(16));
-- of 171de56939af6e04
CREATE TEMPORARY TABLE IF NOT EXISTS run_users (user_id TEXT(64) NOT NULL, first_name TEXT(1024), last_name TEXT(1024), gender TEXT(16), level TEXT(16), last_seen_ts BIGINT NOT NULL, last_item_in_session INT NOT NULL);
