-- What the events of each UTC day come to, for the days of the run. Events are those of staging, as
-- delivered; plays are those of songplays, each once. A stretch without an event lies between events of
-- different minutes, since shorter ones matter to nobody: minutes are fewer than events, and sorted faster.
DELETE FROM etl.days WHERE first_ts BETWEEN :days_from AND :days_to;

INSERT INTO etl.days (
    day, events, plays, first_ts, last_ts, plays_without_title, plays_without_artist, plays_matched, absent,
    gap_within_ms
)
WITH minutes AS (
    SELECT
        e.ts - MOD(e.ts, 60000) AS minute_ts,
        COUNT(*) AS events,
        MIN(e.ts) AS first_ts,
        MAX(e.ts) AS last_ts
    FROM staging_events AS e
    WHERE e.ts BETWEEN :days_from AND :days_to
    GROUP BY e.ts - MOD(e.ts, 60000)
),

spaced AS (
    SELECT
        m.minute_ts - MOD(m.minute_ts, 86400000) AS midnight,
        m.events,
        m.first_ts,
        m.last_ts,
        m.first_ts - LAG(m.last_ts) OVER (
            PARTITION BY m.minute_ts - MOD(m.minute_ts, 86400000) ORDER BY m.minute_ts
        ) AS gap
    FROM minutes AS m
),

of_events AS (
    SELECT
        CAST(DATEADD(ms, s.midnight, '1970-01-01'::TIMESTAMP) AS DATE) AS day,
        CAST(SUM(s.events) AS BIGINT) AS events,
        MIN(s.first_ts) AS first_ts,
        MAX(s.last_ts) AS last_ts,
        MAX(s.gap) AS gap_within_ms
    FROM spaced AS s
    GROUP BY s.midnight
),

of_plays AS (
    SELECT
        CAST(p.start_time AS DATE) AS day,
        COUNT(*) AS plays,
        COUNT(*) - COUNT(p.song) AS without_title,
        COUNT(*) - COUNT(p.artist) AS without_artist,
        COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE p.start_time BETWEEN DATEADD(ms, :days_from, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, :days_to, '1970-01-01'::TIMESTAMP)
    GROUP BY CAST(p.start_time AS DATE)
)

SELECT
    e.day,
    e.events,
    COALESCE(p.plays, 0) AS plays,
    e.first_ts,
    e.last_ts,
    COALESCE(p.without_title, 0) AS plays_without_title,
    COALESCE(p.without_artist, 0) AS plays_without_artist,
    COALESCE(p.matched, 0) AS plays_matched,
    '' AS absent,
    e.gap_within_ms
FROM of_events AS e
LEFT JOIN of_plays AS p ON e.day = p.day;

-- The stretch since the last event of an earlier day counts for the day in which it ends. Every day is looked
-- at, since a few thousand rows are all there are; only those that change are written.
UPDATE etl.days SET longest_gap_ms = g.longest
FROM (
    SELECT
        s.day AS of_day,
        CASE
            WHEN s.gap_before >= COALESCE(s.gap_within_ms, 0) THEN s.gap_before ELSE s.gap_within_ms
        END AS longest
    FROM (
        SELECT d.day, d.gap_within_ms, d.first_ts - LAG(d.last_ts) OVER (ORDER BY d.day) AS gap_before
        FROM etl.days AS d
    ) AS s
) AS g
WHERE day = g.of_day AND COALESCE(longest_gap_ms, -1) <> COALESCE(g.longest, -1);
