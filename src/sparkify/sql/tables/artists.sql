-- Artists of the catalogue, under the name most of their songs credit.
-- grain: artist_id
-- Storage is left to AUTO, as AWS recommends: while it is small every node has a copy, so joins move nothing.
-- Redshift does not enforce the key but trusts it in its plans: the check unique_keys holds it in every run.
CREATE TABLE IF NOT EXISTS artists (
    artist_id VARCHAR(64) NOT NULL,
    name VARCHAR(1024),
    location VARCHAR(1024),
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    PRIMARY KEY (artist_id)
);
