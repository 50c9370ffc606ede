-- What the catalogue lacks
-- The 100 most played titles of the range that no song of the catalogue has, as the logs name them.
SELECT p.song, p.artist, CAST(SUM(p.plays - p.matched) AS BIGINT) AS plays
FROM songs_played AS p
WHERE p.plays > p.matched
GROUP BY p.song, p.artist
ORDER BY plays DESC, p.song, p.artist
LIMIT 100;
