-- The song records of this run's files, before they are accepted.
CREATE TEMP TABLE IF NOT EXISTS run_songs (
    num_songs INTEGER,
    artist_id VARCHAR(64),
    artist_latitude DOUBLE PRECISION,
    artist_longitude DOUBLE PRECISION,
    artist_location VARCHAR(1024),
    artist_name VARCHAR(1024),
    song_id VARCHAR(64),
    title VARCHAR(1024),
    duration DOUBLE PRECISION,
    year INTEGER,
    file_id BIGINT NOT NULL,
    suspect BOOLEAN
);
