-- How long a play lasted, as far as the logs tell. One row per play.
-- grain: songplay_id
-- A play ends at its length or at the person's next event in the session, whichever is sooner;
-- how_it_ended says which: length, next_event, or unknown for the last event of a session, after which
-- nothing tells. There seconds_at_least is 0, and seconds_at_most the song's length (NULL where that is
-- unknown: none, 0 or less). Elsewhere both are the same. Events happen at whole seconds: one less than a
-- second before the end is at the end. No log says that a song was skipped: in the real month a song
-- always plays to its end before the next begins, so there is no rate of skips here.
CREATE VIEW analytics.listening_time AS
WITH followed AS (
    SELECT
        e.user_id, e.session_id, e.item_in_session, e.event_at, e.page,
        (LEAD(e.ts) OVER (PARTITION BY e.user_id, e.session_id ORDER BY e.ts, e.item_in_session) - e.ts)
        / 1000.0 AS seconds
    FROM analytics.events AS e
),

plays AS (
    SELECT
        p.songplay_id, p.start_time, p.user_id, p.level,
        CASE WHEN p.length > 0 THEN p.length END AS length,
        CAST(f.seconds AS DOUBLE PRECISION) AS seconds
    FROM songplays AS p
    INNER JOIN followed AS f
        ON
            p.user_id = f.user_id AND p.session_id = f.session_id
            AND p.item_in_session = f.item_in_session AND p.start_time = f.event_at
    WHERE f.page = 'NextSong'
)

SELECT
    p.songplay_id,
    p.start_time,
    p.user_id,
    p.level,
    CASE WHEN p.seconds IS NULL THEN 0.0 WHEN p.length < p.seconds + 1 THEN p.length ELSE p.seconds END
        AS seconds_at_least,
    CASE WHEN p.seconds IS NULL OR p.length < p.seconds + 1 THEN p.length ELSE p.seconds END
        AS seconds_at_most,
    CASE
        WHEN p.seconds IS NULL THEN 'unknown'
        WHEN p.length < p.seconds + 1 THEN 'length'
        ELSE 'next_event'
    END AS how_it_ended
FROM plays AS p;
