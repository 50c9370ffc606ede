CREATE TEMPORARY TABLE IF NOT EXISTS run_files (file_id BIGINT NOT NULL);
CREATE TEMPORARY TABLE IF NOT EXISTS run_changed_songs (song_id TEXT(64) NOT NULL);
CREATE TEMPORARY TABLE IF NOT EXISTS run_changed_artists (artist_id TEXT(64) NOT NULL);
CREATE TEMPORARY TABLE IF NOT EXISTS run_changed_titles (title TEXT(1024), artist_name TEXT(1024));
CREATE TEMPORARY TABLE IF NOT EXISTS run_song_matches (song TEXT(1024), artist TEXT(1024), length DOUBLE, song_id TEXT(64), artist_id TEXT(64), song_match TEXT(16));
CREATE TEMPORARY TABLE IF NOT EXISTS run_users (user_id TEXT(64) NOT NULL, first_name TEXT(1024), last_name TEXT(1024), gender TEXT(16), level TEXT(16), last_seen_ts BIGINT NOT NULL, last_item_in_session INT NOT NULL);
