-- Give the plays whose song changed (run_rematched) the song that matches now.
-- They are written anew: to change single values would rewrite whole columns on DuckDB, and Redshift writes
-- whole rows whatever changes.
DELETE FROM songplays
WHERE
    songplay_id IN (SELECT r.songplay_id FROM run_rematched AS r)
    AND start_time IN (SELECT r.start_time FROM run_rematched AS r)
    AND start_time BETWEEN DATEADD(ms, :titles_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :titles_to, '1970-01-01'::TIMESTAMP);

INSERT INTO songplays (
    songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_match, song, artist, length
)
SELECT
    p.songplay_id,
    p.start_time,
    p.user_id,
    p.level,
    m.song_id,
    m.artist_id,
    p.session_id,
    p.location,
    p.user_agent,
    p.item_in_session,
    m.song_match,
    p.song,
    p.artist,
    p.length
FROM run_rematched AS p
LEFT JOIN run_song_matches AS m
    ON
        p.song = m.song AND p.artist = m.artist
        AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL));

-- Redshift takes no outer join in an UPDATE: those that match now are added, those that did are taken off.
UPDATE etl.days SET plays_matched = plays_matched + c.gained
FROM (
    SELECT
        n.of_day,
        SUM(n.plays) AS gained
    FROM (
        SELECT
            CAST(p.start_time AS DATE) AS of_day,
            1 AS plays
        FROM run_rematched AS p
        INNER JOIN run_song_matches AS m
            ON
                p.song = m.song AND p.artist = m.artist
                AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL))
        UNION ALL
        SELECT
            CAST(p.start_time AS DATE) AS of_day,
            -p.was_matched AS plays
        FROM run_rematched AS p
    ) AS n
    GROUP BY n.of_day
) AS c
WHERE day = c.of_day AND c.gained <> 0;
