-- Every foreign key of the star refers to an existing row.
-- scope: moments
-- Outer joins, since clusters were seen to refuse NOT EXISTS below UNION ALL.
-- A run looks at the plays that it touched, and at who refers to a person, song or artist that it took out.
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value
FROM songplays AS p
LEFT JOIN users AS u ON p.user_id = u.user_id
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
    AND u.user_id IS NULL
UNION ALL
SELECT 'songplays.start_time' AS reference, CAST(p.start_time AS VARCHAR(64)) AS key_value
FROM songplays AS p
LEFT JOIN time AS t
    ON
        p.start_time = t.start_time
        AND t.start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
    AND t.start_time IS NULL
UNION ALL
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value
FROM songplays AS p
LEFT JOIN songs AS s ON p.song_id = s.song_id
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
    AND p.song_id IS NOT NULL AND s.song_id IS NULL
UNION ALL
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value
FROM songplays AS p
LEFT JOIN artists AS a ON p.artist_id = a.artist_id
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
    AND p.artist_id IS NOT NULL AND a.artist_id IS NULL
UNION ALL
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.user_id  -- touched
    FROM run_changed_users AS c  -- touched
    LEFT JOIN users AS u ON c.user_id = u.user_id  -- touched
    WHERE u.user_id IS NULL  -- touched
) AS g ON p.user_id = g.user_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.song_id  -- touched
    FROM run_changed_songs AS c  -- touched
    LEFT JOIN songs AS s ON c.song_id = s.song_id  -- touched
    WHERE s.song_id IS NULL  -- touched
) AS g ON p.song_id = g.song_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.artist_id  -- touched
    FROM run_changed_artists AS c  -- touched
    LEFT JOIN artists AS a ON c.artist_id = a.artist_id  -- touched
    WHERE a.artist_id IS NULL  -- touched
) AS g ON p.artist_id = g.artist_id  -- touched
UNION ALL  -- touched
SELECT 'songs.artist_id' AS reference, s.artist_id AS key_value
FROM songs AS s
LEFT JOIN artists AS a ON s.artist_id = a.artist_id
WHERE a.artist_id IS NULL;
