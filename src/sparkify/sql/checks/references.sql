-- Every foreign key of the star refers to an existing row.
-- scope: warehouse
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value
FROM songplays AS p
WHERE
    p.start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
    AND NOT EXISTS (SELECT 1 FROM users AS u WHERE u.user_id = p.user_id)
UNION ALL
SELECT 'songplays.start_time' AS reference, CAST(p.start_time AS VARCHAR(64)) AS key_value
FROM songplays AS p
WHERE
    p.start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
    AND NOT EXISTS (SELECT 1 FROM time AS t WHERE t.start_time = p.start_time)
UNION ALL
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value
FROM songplays AS p
WHERE p.song_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM songs AS s WHERE s.song_id = p.song_id)
UNION ALL
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value
FROM songplays AS p
WHERE p.artist_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM artists AS a WHERE a.artist_id = p.artist_id)
UNION ALL
SELECT 'songs.artist_id' AS reference, s.artist_id AS key_value
FROM songs AS s
WHERE NOT EXISTS (SELECT 1 FROM artists AS a WHERE a.artist_id = s.artist_id);
