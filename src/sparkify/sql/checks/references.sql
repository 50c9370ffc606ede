-- Every foreign key of the star refers to an existing row.
-- scope: moments
-- Outer joins, since clusters were seen to refuse NOT EXISTS below UNION ALL.
-- A run looks at the plays that it touched, once, and at who refers to a person, song or artist that it took out.
WITH plays AS (
    SELECT
        p.user_id,
        p.start_time,
        p.song_id,
        p.artist_id,
        CASE WHEN u.user_id IS NULL THEN 1 ELSE 0 END AS without_user,
        CASE WHEN t.start_time IS NULL THEN 1 ELSE 0 END AS without_time,
        CASE WHEN p.song_id IS NOT NULL AND s.song_id IS NULL THEN 1 ELSE 0 END AS without_song,
        CASE WHEN p.artist_id IS NOT NULL AND a.artist_id IS NULL THEN 1 ELSE 0 END AS without_artist
    FROM songplays AS p
    LEFT JOIN users AS u ON p.user_id = u.user_id
    LEFT JOIN time AS t
        ON
            p.start_time = t.start_time
            AND t.start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
            AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
    LEFT JOIN songs AS s ON p.song_id = s.song_id
    LEFT JOIN artists AS a ON p.artist_id = a.artist_id
    WHERE
        p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
        p.start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
        AND (
            u.user_id IS NULL OR t.start_time IS NULL
            OR (p.song_id IS NOT NULL AND s.song_id IS NULL)
            OR (p.artist_id IS NOT NULL AND a.artist_id IS NULL)
        )
)

SELECT 'songplays.user_id' AS reference, b.user_id AS key_value
FROM plays AS b
WHERE b.without_user = 1
UNION ALL
SELECT 'songplays.start_time' AS reference, CAST(b.start_time AS VARCHAR(64)) AS key_value
FROM plays AS b
WHERE b.without_time = 1
UNION ALL
SELECT 'songplays.song_id' AS reference, b.song_id AS key_value
FROM plays AS b
WHERE b.without_song = 1
UNION ALL
SELECT 'songplays.artist_id' AS reference, b.artist_id AS key_value
FROM plays AS b
WHERE b.without_artist = 1
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
