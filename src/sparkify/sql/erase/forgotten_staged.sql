-- The people of staging that are forgotten, and the events of theirs; plays that stayed of those who are
-- forgotten altogether now are among them.
INSERT INTO run_forgotten (user_id, anonymous)
SELECT u.user_id, CASE WHEN e.keeps_plays THEN 'anonymous-' || SUBSTRING(e.person, 1, 32) END AS anonymous
FROM (
    SELECT l.user_id, SHA2(h.hash_key || l.user_id, 256) AS digest
    FROM (SELECT DISTINCT s.user_id FROM staging_events AS s WHERE s.user_id <> '') AS l
    CROSS JOIN (SELECT MAX(k.hash_key) AS hash_key FROM etl.erased AS k) AS h
) AS u
INNER JOIN etl.erased AS e ON u.digest = e.digest AND e.field = 'user_id'
UNION ALL
SELECT 'anonymous-' || SUBSTRING(p.person, 1, 32) AS user_id, NULL AS anonymous
FROM etl.erased AS p
WHERE p.field = 'user_id' AND NOT p.keeps_plays;

INSERT INTO run_gone (
    artist, auth, item_in_session, length, level, method, page, session_id, song, status, ts, user_agent,
    user_id, file_id
)
SELECT
    s.artist,
    s.auth,
    s.item_in_session,
    s.length,
    s.level,
    s.method,
    s.page,
    s.session_id,
    s.song,
    s.status,
    s.ts,
    s.user_agent,
    CASE WHEN s.page = 'NextSong' THEN f.anonymous END AS user_id,
    s.file_id
FROM staging_events AS s
INNER JOIN run_forgotten AS f ON s.user_id = f.user_id;
