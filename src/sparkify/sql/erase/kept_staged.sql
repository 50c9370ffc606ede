-- The events of those whose plays stay; of other pages nothing does.
INSERT INTO run_gone (
    artist, auth, item_in_session, length, level, method, page, session_id, song, status, ts, user_agent,
    user_id, file_id, of_user, first_name, last_name, location
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
    s.file_id,
    s.user_id AS of_user,
    s.first_name,
    s.last_name,
    s.location
FROM staging_events AS s
INNER JOIN run_forgotten AS f ON s.user_id = f.user_id
WHERE f.anonymous IS NOT NULL;
