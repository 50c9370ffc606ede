-- Songs of the catalogue. artist_name is the credit on the song's own record.
-- grain: song_id
-- Storage is AUTO, as AWS recommends: every node has a copy of a small table, so that joins move no rows.
-- Redshift does not enforce the key, but its planner trusts it: every run verifies it (unique_keys).
CREATE TABLE IF NOT EXISTS songs (
    song_id VARCHAR(64) NOT NULL,
    title VARCHAR(1024),
    artist_id VARCHAR(64) NOT NULL,
    year INTEGER,
    duration DOUBLE PRECISION,
    artist_name VARCHAR(1024),
    PRIMARY KEY (song_id)
);
