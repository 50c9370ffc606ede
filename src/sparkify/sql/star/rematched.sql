-- Give the plays whose song changed (run_rematched) the song that matches now.
UPDATE songplays
SET song_id = r.song_id, artist_id = r.artist_id, song_match = r.song_match
FROM (
    SELECT p.songplay_id, p.start_time, m.song_id, m.artist_id, m.song_match
    FROM run_rematched AS p
    LEFT JOIN run_song_matches AS m
        ON
            p.song = m.song AND p.artist = m.artist
            AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL))
) AS r
WHERE
    songplays.songplay_id = r.songplay_id AND songplays.start_time = r.start_time
    AND songplays.start_time BETWEEN DATEADD(ms, :titles_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :titles_to, '1970-01-01'::TIMESTAMP);

UPDATE etl.days SET plays_matched = plays_matched + c.gained
FROM (
    SELECT
        CAST(p.start_time AS DATE) AS of_day,
        SUM(CASE WHEN m.song_id IS NULL THEN 0 ELSE 1 END - p.was_matched) AS gained
    FROM run_rematched AS p
    LEFT JOIN run_song_matches AS m
        ON
            p.song = m.song AND p.artist = m.artist
            AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL))
    GROUP BY CAST(p.start_time AS DATE)
) AS c
WHERE day = c.of_day AND c.gained <> 0;
