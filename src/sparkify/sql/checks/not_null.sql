-- Required columns are never NULL.
-- scope: moments
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value
FROM songplays
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
    AND (
        songplay_id IS NULL OR user_id IS NULL OR user_id = ''
        OR session_id IS NULL OR item_in_session IS NULL
    )
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value
FROM users
WHERE user_id IS NULL OR user_id = ''
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value
FROM songs
WHERE song_id IS NULL OR artist_id IS NULL
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value
FROM artists
WHERE artist_id IS NULL;
