-- Plays found in the catalogue
-- Plays of the range by how their song was found. exact: title, artist and length; title_artist: the same
-- title and artist, another length; empty: no song of the catalogue has that title and artist, letter by
-- letter.
SELECT p.song_match, COUNT(*) AS plays
FROM songplays AS p
WHERE p.start_time >= :since AND p.start_time < :until
GROUP BY p.song_match
ORDER BY 2 DESC, 1;
