-- Plays loaded by earlier runs get, change or lose their song when the catalogue does.
UPDATE songplays
SET song_id = r.song_id, artist_id = r.artist_id, song_match = r.song_match
FROM (
    SELECT p.songplay_id, m.song_id, m.artist_id, m.song_match
    FROM songplays AS p
    INNER JOIN (SELECT DISTINCT title, artist_name FROM run_changed_titles) AS t
        ON p.song = t.title AND p.artist = t.artist_name
    LEFT JOIN run_song_matches AS m
        ON
            p.song = m.song AND p.artist = m.artist
            AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL))
) AS r
WHERE songplays.songplay_id = r.songplay_id;
