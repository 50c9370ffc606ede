-- Every primary key is unique.
-- scope: moments
-- Redshift does not enforce keys, but its planner trusts them: a duplicate key gives wrong results.
-- A run looks at the keys that it touched.
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM songplays
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
GROUP BY songplay_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value, COUNT(*) AS times
FROM users
WHERE user_id IN (SELECT c.user_id FROM run_changed_users AS c)  -- touched
GROUP BY user_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value, COUNT(*) AS times
FROM songs
WHERE song_id IN (SELECT c.song_id FROM run_changed_songs AS c)  -- touched
GROUP BY song_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value, COUNT(*) AS times
FROM artists
WHERE artist_id IN (SELECT c.artist_id FROM run_changed_artists AS c)  -- touched
GROUP BY artist_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'time' AS in_table, CAST(start_time AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM time
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
GROUP BY start_time
HAVING COUNT(*) > 1;
