-- Visits of people. One row per user and session id; session ids alone are shared between users.
-- grain: user_id, session_id
-- events and plays count every event once. level and last_page are those of the last event, which is how the
-- session ended: Logout, Cancellation Confirmation, or whatever was on the screen when the person went away.
CREATE VIEW analytics.sessions AS
SELECT
    s.user_id,
    s.session_id,
    MIN(s.event_at) AS started_at,
    MAX(s.event_at) AS ended_at,
    COUNT(*) AS events,
    COUNT(CASE WHEN s.page = 'NextSong' THEN 1 END) AS plays,
    MAX(CASE WHEN s.from_end = 1 THEN s.level END) AS level,
    MAX(CASE WHEN s.from_end = 1 THEN s.page END) AS last_page
FROM (
    SELECT
        e.user_id, e.session_id, e.event_at, e.page, e.level,
        ROW_NUMBER() OVER (
            PARTITION BY e.user_id, e.session_id ORDER BY e.ts DESC, e.item_in_session DESC
        ) AS from_end
    FROM analytics.events AS e
) AS s
GROUP BY s.user_id, s.session_id;
