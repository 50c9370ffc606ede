-- The accepted records of a play's identity: one row per delivery, with the number of its file. Of deliveries
-- that differ, the play has the values of one (star/songplays.sql).
SELECT
    e.file_id,
    NULLIF(RTRIM(e.level, ' '), '') AS level,
    NULLIF(RTRIM(e.song, ' '), '') AS song,
    NULLIF(RTRIM(e.artist, ' '), '') AS artist,
    e.length,
    NULLIF(RTRIM(e.location, ' '), '') AS location,
    NULLIF(RTRIM(e.user_agent, ' '), '') AS user_agent
FROM staging_events AS e
WHERE
    e.page = 'NextSong' AND e.ts = :ts AND e.session_id = :session_id
    AND e.item_in_session = :item_in_session AND e.user_id = :user_id;
