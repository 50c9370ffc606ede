-- Which songs of the catalogue are played most?
SELECT s.title, a.name AS artist, COUNT(*) AS plays
FROM songplays AS p
INNER JOIN songs AS s ON p.song_id = s.song_id
INNER JOIN artists AS a ON p.artist_id = a.artist_id
GROUP BY s.song_id, s.title, a.name
ORDER BY plays DESC, s.title, a.name
LIMIT 5;
