-- The songs people play, as the logs name them, in the catalogue or not. One row per title and artist.
-- grain: song, artist
-- NULL: the log has no name. The most played come first.
CREATE VIEW analytics.top_songs AS
SELECT p.song, p.artist, COUNT(*) AS plays, COUNT(DISTINCT p.user_id) AS listeners
FROM songplays AS p
GROUP BY p.song, p.artist
ORDER BY plays DESC, p.song, p.artist;
