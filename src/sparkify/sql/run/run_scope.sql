-- The scope of this run: the keys whose rows in the star have to be computed again.
-- Moments: the times of events that came or went, in ms since 1970, as often as they did.
CREATE TEMP TABLE IF NOT EXISTS run_moments (ts BIGINT NOT NULL);
CREATE TEMP TABLE IF NOT EXISTS run_files (file_id BIGINT NOT NULL);
CREATE TEMP TABLE IF NOT EXISTS run_moves (
    file_id BIGINT NOT NULL,
    new_file_id BIGINT,
    run_id INTEGER,
    uri VARCHAR(4096),
    size BIGINT,
    version VARCHAR(256),
    content VARCHAR(32),
    reason VARCHAR(16),
    detail VARCHAR(1024)
);
CREATE TEMP TABLE IF NOT EXISTS run_changed_songs (song_id VARCHAR(64) NOT NULL);
CREATE TEMP TABLE IF NOT EXISTS run_changed_artists (artist_id VARCHAR(64) NOT NULL);
CREATE TEMP TABLE IF NOT EXISTS run_changed_titles (title VARCHAR(1024), artist_name VARCHAR(1024));
-- What is played: titles as of events, with the moments between which they are played.
CREATE TEMP TABLE IF NOT EXISTS run_played (
    song VARCHAR(1024),
    artist VARCHAR(1024),
    length DOUBLE PRECISION,
    played_from BIGINT,
    played_to BIGINT
);
-- Plays of earlier runs whose song may be another one now, and whether they had one.
CREATE TEMP TABLE IF NOT EXISTS run_rematched (
    songplay_id BIGINT NOT NULL,
    start_time TIMESTAMP NOT NULL,
    user_id VARCHAR(64) NOT NULL,
    level VARCHAR(16),
    session_id BIGINT NOT NULL,
    location VARCHAR(1024),
    user_agent VARCHAR(1024),
    item_in_session INTEGER NOT NULL,
    song VARCHAR(1024),
    artist VARCHAR(1024),
    length DOUBLE PRECISION,
    was_matched INTEGER NOT NULL
);
CREATE TEMP TABLE IF NOT EXISTS run_song_matches (
    song VARCHAR(1024),
    artist VARCHAR(1024),
    length DOUBLE PRECISION,
    song_id VARCHAR(64),
    artist_id VARCHAR(64),
    song_match VARCHAR(16)
);
CREATE TEMP TABLE IF NOT EXISTS run_users (
    user_id VARCHAR(64) NOT NULL,
    first_name VARCHAR(1024),
    last_name VARCHAR(1024),
    gender VARCHAR(16),
    level VARCHAR(16),
    last_seen_ts BIGINT NOT NULL,
    last_item_in_session INTEGER NOT NULL
);
CREATE TEMP TABLE IF NOT EXISTS run_changed_users (user_id VARCHAR(64) NOT NULL);
-- People whose latest event went, with its time: the one before it is looked for.
CREATE TEMP TABLE IF NOT EXISTS run_lost_users (user_id VARCHAR(64) NOT NULL, ts BIGINT NOT NULL);
