-- Every foreign key of the star refers to an existing row.
-- scope: moments
-- A run looks at the plays that it touched, and at who refers to a person, song or artist that it took out.
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value
FROM songplays AS p
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
    AND NOT EXISTS (SELECT 1 FROM users AS u WHERE u.user_id = p.user_id)
UNION ALL
SELECT 'songplays.start_time' AS reference, CAST(p.start_time AS VARCHAR(64)) AS key_value
FROM songplays AS p
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
    AND NOT EXISTS (
        SELECT 1
        FROM time AS t
        WHERE
            t.start_time = p.start_time
            AND t.start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
            AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
    )
UNION ALL
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value
FROM songplays AS p
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
    AND p.song_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM songs AS s WHERE s.song_id = p.song_id)
UNION ALL
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value
FROM songplays AS p
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
    AND p.artist_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM artists AS a WHERE a.artist_id = p.artist_id)
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
WHERE NOT EXISTS (SELECT 1 FROM artists AS a WHERE a.artist_id = s.artist_id);
