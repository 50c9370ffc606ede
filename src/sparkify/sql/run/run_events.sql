-- The log lines of this run's files, before they are accepted.
CREATE TEMP TABLE IF NOT EXISTS run_events (
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
    file_id BIGINT NOT NULL,
    suspect BOOLEAN
);
