-- Song records as delivered. One row per accepted record of every current file.
-- grain: a record of a file
-- Storage is left to AUTO, as AWS recommends. No key is declared: nothing verifies one, and Redshift would
-- believe it.
CREATE TABLE IF NOT EXISTS staging_songs (
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
    file_id BIGINT NOT NULL
);
