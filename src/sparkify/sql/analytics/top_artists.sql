-- The artists people play, as the logs name them, in the catalogue or not. One row per artist.
-- grain: artist
-- NULL: the log has no name. The most played come first.
CREATE VIEW analytics.top_artists AS
SELECT p.artist, COUNT(*) AS plays, COUNT(DISTINCT p.user_id) AS listeners
FROM songplays AS p
GROUP BY p.artist
ORDER BY plays DESC, p.artist;
