-- The song of the catalogue for every (title, artist, length) as played (run_played).
-- A play matches by title and the artist name on the song's own record, then by the nearest length.
DELETE FROM run_song_matches;

INSERT INTO run_song_matches (song, artist, length, song_id, artist_id, song_match)
SELECT
    p.song,
    p.artist,
    p.length,
    s.song_id,
    s.artist_id,
    CASE WHEN ABS(s.duration - p.length) <= 0.001 THEN 'exact' ELSE 'title_artist' END AS song_match
FROM run_played AS p
INNER JOIN songs AS s ON p.song = s.title AND p.artist = s.artist_name
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY p.song, p.artist, p.length
    ORDER BY ABS(s.duration - p.length), s.song_id
) = 1;
