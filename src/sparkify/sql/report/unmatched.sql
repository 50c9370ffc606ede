-- What the catalogue lacks
-- The 100 most played titles of the range that no song of the catalogue has, as the logs name them.
SELECT p.song, p.artist, COUNT(*) AS plays
FROM songplays AS p
WHERE p.song_id IS NULL AND p.start_time >= :since AND p.start_time < :until
GROUP BY p.song, p.artist
ORDER BY plays DESC, p.song, p.artist
LIMIT 100;
