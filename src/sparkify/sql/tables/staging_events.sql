-- Log lines as delivered. One row per accepted line of every current file.
-- grain: a line of a file
-- Sorted by time, since a run recomputes plays by time range; distribution and encodings are AUTO's, as AWS
-- recommends. No key is declared: nothing verifies one, and Redshift would believe it.
CREATE TABLE IF NOT EXISTS staging_events (
    artist VARCHAR(1024),
    auth VARCHAR(64),
    first_name VARCHAR(1024),
    gender VARCHAR(16),
    item_in_session INTEGER,
    last_name VARCHAR(1024),
    length DOUBLE PRECISION,
    level VARCHAR(16),
    location VARCHAR(1024),
    method VARCHAR(16),
    page VARCHAR(64),
    registration DOUBLE PRECISION,
    session_id BIGINT,
    song VARCHAR(1024),
    status INTEGER,
    ts BIGINT,
    user_agent VARCHAR(1024),
    user_id VARCHAR(64),
    file_id BIGINT NOT NULL
) SORTKEY (ts);
