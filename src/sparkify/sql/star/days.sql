-- What the events of each UTC day come to: the days of the run's time range, and of earlier plays whose songs
-- changed. Events are those of staging, as delivered; plays are those of songplays, each once.
DELETE FROM etl.days WHERE first_ts BETWEEN :days_from AND :days_to;

INSERT INTO etl.days (
    day, events, plays, first_ts, last_ts, plays_without_title, plays_without_artist, plays_matched, absent,
    gap_within_ms
)
WITH spaced AS (
    SELECT
        e.ts,
        e.ts - MOD(e.ts, 86400000) AS midnight,
        e.ts - LAG(e.ts) OVER (PARTITION BY e.ts - MOD(e.ts, 86400000) ORDER BY e.ts) AS gap
    FROM staging_events AS e
    WHERE e.ts BETWEEN :days_from AND :days_to
),

of_events AS (
    SELECT
        CAST(DATEADD(ms, s.midnight, '1970-01-01'::TIMESTAMP) AS DATE) AS day,
        COUNT(*) AS events,
        MIN(s.ts) AS first_ts,
        MAX(s.ts) AS last_ts,
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

-- Days of earlier plays whose title is one of the changed songs: as in rematch.sql.
UPDATE etl.days SET plays_matched = c.matched
FROM (
    SELECT CAST(p.start_time AS DATE) AS of_day, COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE CAST(p.start_time AS DATE) IN (
        SELECT CAST(q.start_time AS DATE)
        FROM songplays AS q
        INNER JOIN run_changed_titles AS t ON q.song = t.title AND q.artist = t.artist_name
        WHERE q.start_time NOT BETWEEN DATEADD(ms, :days_from, '1970-01-01'::TIMESTAMP)
            AND DATEADD(ms, :days_to, '1970-01-01'::TIMESTAMP)
    )
    GROUP BY CAST(p.start_time AS DATE)
) AS c
WHERE day = c.of_day AND plays_matched <> c.matched;
