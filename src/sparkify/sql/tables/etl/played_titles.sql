-- Titles that were played, and the moments between which every play of them lies: where to look when a song
-- arrives. One row per title and artist as played, without trailing blanks.
-- grain: song, artist
-- A hint, not a count: plays that are taken out again leave it as it was, a full refresh computes it anew.
-- Times are in ms since 1970.
CREATE TABLE IF NOT EXISTS etl.played_titles (
    song VARCHAR(1024) NOT NULL,
    artist VARCHAR(1024) NOT NULL,
    played_from BIGINT NOT NULL,
    played_to BIGINT NOT NULL
);
