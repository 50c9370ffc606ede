-- Songs played by listeners. One row per NextSong event.
-- grain: songplay_id
-- Sorted by time: analysts ask by time, and a run replaces a time range. Distribution and encodings are AUTO,
-- which adapts to size and queries; a single ENCODE would switch it off for the whole table.
-- Redshift does not enforce the key, but its planner trusts it: every run verifies it (unique_keys).
CREATE TABLE IF NOT EXISTS songplays (
    songplay_id BIGINT NOT NULL,
    start_time TIMESTAMP NOT NULL,
    user_id VARCHAR(64) NOT NULL,
    level VARCHAR(16),
    song_id VARCHAR(64),
    artist_id VARCHAR(64),
    session_id BIGINT NOT NULL,
    location VARCHAR(1024),
    user_agent VARCHAR(1024),
    item_in_session INTEGER NOT NULL,
    song_match VARCHAR(16),
    song VARCHAR(1024),
    artist VARCHAR(1024),
    length DOUBLE PRECISION,
    PRIMARY KEY (songplay_id)
) SORTKEY (start_time);
