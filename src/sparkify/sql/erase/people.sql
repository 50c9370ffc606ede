-- Take the events of forgotten people (run_gone) out of staging, and put back what stays of them. What they
-- touch is noted for the models.
INSERT INTO run_moments SELECT g.ts FROM run_gone AS g;

INSERT INTO run_changed_users SELECT f.user_id FROM run_forgotten AS f;

DELETE FROM users WHERE user_id IN (SELECT user_id FROM run_forgotten);

DELETE FROM staging_events WHERE user_id IN (SELECT user_id FROM run_forgotten);

INSERT INTO staging_events (
    artist, auth, item_in_session, length, level, method, page, session_id, song, status, ts, user_agent,
    user_id, file_id
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
    g.file_id
FROM run_gone AS g
WHERE g.user_id IS NOT NULL;
