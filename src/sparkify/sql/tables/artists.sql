-- Artists of the catalogue, under the name most of their songs credit.
-- grain: artist_id
-- Storage is AUTO, as AWS recommends: every node has a copy of a small table, so that joins move no rows.
-- Redshift does not enforce the key, but its planner trusts it: every run verifies it (unique_keys).
CREATE TABLE IF NOT EXISTS artists (
    artist_id VARCHAR(64) NOT NULL,
    name VARCHAR(1024),
    location VARCHAR(1024),
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    PRIMARY KEY (artist_id)
);
