-- Songs of the catalogue. artist_name is the credit on the song's own record.
-- grain: song_id
-- Storage is left to AUTO, as AWS recommends: while it is small every node has a copy, so joins move nothing.
-- Redshift does not enforce the key but trusts it in its plans: the check unique_keys holds it in every run.
CREATE TABLE IF NOT EXISTS songs (
    song_id VARCHAR(64) NOT NULL,
    title VARCHAR(1024),
    artist_id VARCHAR(64) NOT NULL,
    year INTEGER,
    duration DOUBLE PRECISION,
    artist_name VARCHAR(1024),
    PRIMARY KEY (song_id)
);
