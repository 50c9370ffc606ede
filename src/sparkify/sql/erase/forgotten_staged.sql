-- The people of staging that are forgotten, and the events of theirs; plays that stayed of those who are
-- forgotten altogether now are among them.
INSERT INTO run_forgotten (user_id, anonymous)
WITH people AS (
    SELECT DISTINCT s.user_id FROM staging_events AS s
)

SELECT u.user_id, CASE WHEN e.keeps_plays THEN 'anonymous-' || SUBSTRING(e.person, 1, 32) END AS anonymous
FROM (
    SELECT l.user_id, SHA2(h.hash_key || l.user_id, 256) AS digest
    FROM people AS l
    CROSS JOIN (SELECT MAX(k.hash_key) AS hash_key FROM etl.erased AS k) AS h
) AS u
INNER JOIN etl.erased AS e ON u.digest = e.digest AND e.field = 'user_id'
UNION ALL
SELECT l.user_id, NULL AS anonymous
FROM people AS l
INNER JOIN etl.erased AS p ON l.user_id = 'anonymous-' || SUBSTRING(p.person, 1, 32)
WHERE p.field = 'user_id' AND NOT p.keeps_plays;

INSERT INTO run_gone (page, song, artist, ts, file_id, of_user, first_name, last_name, location)
SELECT s.page, s.song, s.artist, s.ts, s.file_id, s.user_id AS of_user, s.first_name, s.last_name, s.location
FROM staging_events AS s
INNER JOIN run_forgotten AS f ON s.user_id = f.user_id
WHERE f.anonymous IS NULL;

SELECT f.anonymous FROM run_forgotten AS f WHERE f.anonymous IS NOT NULL LIMIT 1;
