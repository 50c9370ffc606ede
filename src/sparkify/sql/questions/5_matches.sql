-- How many plays are of a song in the catalogue?
SELECT COALESCE(p.song_match, 'no song of that title and artist') AS song_match, COUNT(*) AS plays
FROM songplays AS p
GROUP BY p.song_match
ORDER BY plays DESC;
