-- of b5f9da3a9fe21d4e
SELECT s.title, a.name AS artist, COUNT(*) AS plays FROM songplays AS p INNER JOIN songs AS s ON p.song_id = s.song_id INNER JOIN artists AS a ON p.artist_id = a.artist_id GROUP BY s.song_id, s.title, a.name ORDER BY plays DESC NULLS FIRST, s.title, a.name LIMIT 5;
