-- The song of the catalogue for every (title, artist, length) as played that this run has to match:
-- those played in its time range, and those already in songplays whose song changed.
-- A play matches by title and the artist name on the song's own record, then by the nearest length.
-- Trailing blanks never matter: Redshift ignores them in every comparison, so the rule says so.
INSERT INTO run_song_matches (song, artist, length, song_id, artist_id, song_match)
WITH played AS (
    SELECT RTRIM(e.song, ' ') AS song, RTRIM(e.artist, ' ') AS artist, e.length
    FROM staging_events AS e
    WHERE e.page = 'NextSong' AND e.ts BETWEEN :ts_from AND :ts_to
    UNION
    SELECT p.song, p.artist, p.length
    FROM songplays AS p
    INNER JOIN run_changed_titles AS t ON p.song = t.title AND p.artist = t.artist_name
)

SELECT
    p.song,
    p.artist,
    p.length,
    s.song_id,
    s.artist_id,
    CASE WHEN ABS(s.duration - p.length) <= 0.001 THEN 'exact' ELSE 'title_artist' END AS song_match
FROM played AS p
INNER JOIN songs AS s ON p.song = s.title AND p.artist = s.artist_name
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY p.song, p.artist, p.length
    ORDER BY ABS(s.duration - p.length), s.song_id
) = 1;
