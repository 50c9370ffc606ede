-- NextSong rows in staging = songplays + duplicates: no play is lost, and no join multiplies one.
-- scope: moments
-- Counted from staging by the identity of an event, independently of how songplays was filled. With as many
-- plays as rows there is nothing to count: songplay_id is made of the identity and is unique
-- (unique_keys), so no two of the rows are the same event.
WITH counts AS (
    SELECT
        (
            SELECT COUNT(*)
            FROM staging_events
            WHERE
                page = 'NextSong' AND ts BETWEEN :ts_from AND :ts_to
                AND ts IN (SELECT m.ts FROM run_moments AS m)  -- sparse
        ) AS staged,
        (
            SELECT COUNT(*)
            FROM songplays
            WHERE
                start_time IN (  -- sparse
                    SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m  -- sparse
                ) AND  -- sparse
                start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
                AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
        ) AS plays
)

SELECT e.events, c.plays
FROM counts AS c
CROSS JOIN (
    SELECT COUNT(*) AS events
    FROM (
        SELECT DISTINCT s.user_id, s.session_id, s.item_in_session, s.ts
        FROM staging_events AS s
        CROSS JOIN counts AS d
        WHERE
            s.page = 'NextSong' AND s.ts BETWEEN :ts_from AND :ts_to AND d.staged <> d.plays
            AND s.ts IN (SELECT m.ts FROM run_moments AS m)  -- sparse
    ) AS i
) AS e
WHERE c.staged <> c.plays AND e.events <> c.plays;
