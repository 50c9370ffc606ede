-- The song that a title and artist match, the nearest in length: the rule of star/song_matches.sql.
SELECT s.song_id, s.title, s.artist_id, s.artist_name, s.duration, s.year
FROM songs AS s
WHERE s.title = :title AND s.artist_name = :artist
ORDER BY ABS(s.duration - CAST(:length AS DOUBLE PRECISION)), s.song_id
LIMIT 1;
