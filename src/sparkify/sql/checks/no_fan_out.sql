-- NextSong rows in staging = songplays + duplicates: no play is lost, and no join multiplies one.
-- Counted from staging by the identity of an event, independently of how songplays was filled.
SELECT e.events, p.plays
FROM (
    SELECT COUNT(*) AS events
    FROM (
        SELECT DISTINCT user_id, session_id, item_in_session, ts
        FROM staging_events
        WHERE page = 'NextSong' AND ts BETWEEN :ts_from AND :ts_to
    ) AS d
) AS e
CROSS JOIN (
    SELECT COUNT(*) AS plays
    FROM songplays
    WHERE start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
) AS p
WHERE e.events <> p.plays;
