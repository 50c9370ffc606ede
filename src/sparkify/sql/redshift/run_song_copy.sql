-- Song records as COPY reads them: every value as its text, so that COPY converts, rounds and clips nothing.
CREATE TEMP TABLE IF NOT EXISTS run_song_copy (
    num_songs VARCHAR(65535),
    artist_id VARCHAR(65535),
    artist_latitude VARCHAR(65535),
    artist_longitude VARCHAR(65535),
    artist_location VARCHAR(65535),
    artist_name VARCHAR(65535),
    song_id VARCHAR(65535),
    title VARCHAR(65535),
    duration VARCHAR(65535),
    year VARCHAR(65535),
    file_id BIGINT
);
