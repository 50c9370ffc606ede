-- The people among those who landed that were forgotten, and the events of theirs.
INSERT INTO run_forgotten (user_id, anonymous)
SELECT u.user_id, CASE WHEN e.keeps_plays THEN 'anonymous-' || SUBSTRING(e.person, 1, 32) END AS anonymous
FROM (
    SELECT l.user_id, SHA2(h.hash_key || l.user_id, 256) AS digest
    FROM (SELECT DISTINCT r.user_id FROM run_events AS r WHERE r.user_id <> '') AS l
    CROSS JOIN (SELECT MAX(k.hash_key) AS hash_key FROM etl.erased AS k) AS h
) AS u
INNER JOIN etl.erased AS e ON u.digest = e.digest AND e.field = 'user_id';

INSERT INTO run_gone (
    artist, auth, item_in_session, length, level, method, page, session_id, song, status, ts, user_agent,
    user_id, file_id
)
SELECT
    r.artist,
    r.auth,
    r.item_in_session,
    r.length,
    r.level,
    r.method,
    r.page,
    r.session_id,
    r.song,
    r.status,
    r.ts,
    r.user_agent,
    CASE WHEN r.page = 'NextSong' THEN f.anonymous END AS user_id,
    r.file_id
FROM run_events AS r
INNER JOIN run_forgotten AS f ON r.user_id = f.user_id;

DELETE FROM run_events WHERE user_id IN (SELECT user_id FROM run_forgotten);

INSERT INTO run_events (
    artist, auth, item_in_session, length, level, method, page, session_id, song, status, ts, user_agent,
    user_id, file_id, needs_rereading
)
SELECT
    g.artist,
    g.auth,
    g.item_in_session,
    g.length,
    g.level,
    g.method,
    g.page,
    g.session_id,
    g.song,
    g.status,
    g.ts,
    g.user_agent,
    g.user_id,
    g.file_id,
    FALSE AS needs_rereading
FROM run_gone AS g
WHERE g.user_id IS NOT NULL;
