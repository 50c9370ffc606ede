-- Log lines that the careful reader has accepted: converted as they are; a value that
-- cannot be is an error.
INSERT INTO run_events (
    artist, auth, first_name, gender, item_in_session, last_name, length, level, location, method, page,
    registration, session_id, song, status, ts, user_agent, user_id, file_id, suspect
)
SELECT
    c.artist,
    c.auth,
    c.firstname AS first_name,
    c.gender,
    CAST(c.iteminsession AS INTEGER) AS item_in_session,
    c.lastname AS last_name,
    CAST(c.length AS DOUBLE PRECISION) AS length,
    c.level,
    c.location,
    c.method,
    c.page,
    CAST(c.registration AS DOUBLE PRECISION) AS registration,
    CAST(c.sessionid AS BIGINT) AS session_id,
    c.song,
    CAST(c.status AS INTEGER) AS status,
    CAST(c.ts AS BIGINT) AS ts,
    c.useragent AS user_agent,
    c.userid AS user_id,
    c.file_id,
    FALSE AS suspect
FROM run_event_copy AS c;
