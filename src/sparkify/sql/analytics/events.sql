-- What people did in the app: every event of a user once, however often it was delivered.
-- grain: user_id, session_id, item_in_session, ts
-- Of deliveries that differ, a play comes first, then the first by content, known values before unknown ones,
-- as in songplays and users.
-- Events of nobody (logged out) are in staging_events alone.
-- event_at is UTC; ts is the same in ms since 1970. level and names are as the event has them.
CREATE VIEW analytics.events AS
SELECT
    e.user_id,
    e.session_id,
    e.item_in_session,
    DATEADD(ms, e.ts, '1970-01-01'::TIMESTAMP) AS event_at,
    e.page,
    NULLIF(RTRIM(e.level, ' '), '') AS level,
    NULLIF(RTRIM(e.first_name, ' '), '') AS first_name,
    NULLIF(RTRIM(e.last_name, ' '), '') AS last_name,
    NULLIF(RTRIM(e.gender, ' '), '') AS gender,
    e.ts
FROM staging_events AS e
WHERE e.user_id <> ''
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY e.user_id, e.session_id, e.item_in_session, e.ts
    ORDER BY
        CASE WHEN e.page = 'NextSong' THEN 0 ELSE 1 END,
        NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.first_name, ' '), ''),
        NULLIF(RTRIM(e.last_name, ' '), ''), NULLIF(RTRIM(e.gender, ' '), ''), e.page
) = 1;
