-- The events of people who are looked for, by person, file, names and place. What was hashed before the ids
-- is given.
SELECT
    u.digest,
    s.file_id,
    s.first_name,
    s.last_name,
    s.location,
    COUNT(*) AS events,
    COUNT(CASE WHEN s.page = 'NextSong' THEN 1 END) AS plays
FROM staging_events AS s
INNER JOIN (
    SELECT l.user_id, SHA2(:hash_key || l.user_id, 256) AS digest
    FROM (SELECT DISTINCT e.user_id FROM staging_events AS e) AS l
) AS u ON s.user_id = u.user_id
WHERE u.digest IN (SELECT r.digest FROM run_sought AS r)
GROUP BY u.digest, s.file_id, s.first_name, s.last_name, s.location
ORDER BY u.digest, s.file_id;
