-- The ledger keeps which titles were played, so that a song that arrives is looked up there. The next run
-- computes it with the star, because its model is new.
CREATE TABLE IF NOT EXISTS etl.played_titles (
    song VARCHAR(1024) NOT NULL,
    artist VARCHAR(1024) NOT NULL,
    played_from BIGINT NOT NULL,
    played_to BIGINT NOT NULL
);
