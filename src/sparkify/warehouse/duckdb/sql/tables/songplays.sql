-- of ebe1151f37cb7902
CREATE TABLE IF NOT EXISTS songplays (songplay_id BIGINT NOT NULL, start_time TIMESTAMP NOT NULL, user_id TEXT(64) NOT NULL, level TEXT(16), song_id TEXT(64), artist_id TEXT(64), session_id BIGINT NOT NULL, location TEXT(1024), user_agent TEXT(1024), item_in_session INT NOT NULL, song_match TEXT(16), song TEXT(1024), artist TEXT(1024), length DOUBLE);
