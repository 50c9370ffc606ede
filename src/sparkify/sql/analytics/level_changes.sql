-- When people changed their level. One row per change.
-- grain: user_id, changed_at
-- changed_at (UTC) is the first event on another level than the one before: from_level ended there and
-- to_level began. NULL: unknown. The changes are those of analytics.user_levels.
CREATE VIEW analytics.level_changes AS
WITH days AS (
    SELECT
        e.user_id, e.midnight,
        MIN(e.ts) AS ts,
        MIN(e.level) AS level,
        MAX(e.level) AS highest
    FROM (
        SELECT
            g.user_id, g.ts - MOD(g.ts, 86400000) AS midnight, MIN(g.ts) AS ts,
            COALESCE(RTRIM(g.level, ' '), '') AS level
        FROM staging_events AS g
        WHERE g.user_id <> ''
        GROUP BY g.user_id, g.ts - MOD(g.ts, 86400000), g.level
    ) AS e
    GROUP BY e.user_id, e.midnight
),

-- The first event of a day on one level tells all; of other days every event counts once, as in
-- analytics.events, and of one moment the last.
distinct_events AS (
    SELECT k.user_id, k.item_in_session, k.ts, NULLIF(RTRIM(k.level, ' '), '') AS level
    FROM staging_events AS k
    INNER JOIN days AS d ON k.user_id = d.user_id AND k.ts - MOD(k.ts, 86400000) = d.midnight
    WHERE d.level < d.highest
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY k.user_id, k.session_id, k.item_in_session, k.ts
        ORDER BY CASE WHEN k.page = 'NextSong' THEN 0 ELSE 1 END, NULLIF(RTRIM(k.level, ' '), '')
    ) = 1
),

moments AS (
    SELECT d.user_id, d.ts, NULLIF(d.level, '') AS level
    FROM days AS d
    WHERE d.level = d.highest
    UNION ALL
    SELECT m.user_id, m.ts, m.level
    FROM (
        SELECT
            e.user_id, e.ts, e.level,
            ROW_NUMBER() OVER (
                PARTITION BY e.user_id, e.ts ORDER BY e.item_in_session DESC, e.level
            ) AS from_end
        FROM distinct_events AS e
    ) AS m
    WHERE m.from_end = 1
)

SELECT
    c.user_id,
    DATEADD(ms, c.ts, '1970-01-01'::TIMESTAMP) AS changed_at,
    c.level_before AS from_level,
    c.level AS to_level
FROM (
    SELECT
        m.user_id, m.ts, m.level,
        LAG(m.level) OVER (PARTITION BY m.user_id ORDER BY m.ts) AS level_before,
        LAG(m.ts) OVER (PARTITION BY m.user_id ORDER BY m.ts) AS ts_before
    FROM moments AS m
) AS c
WHERE c.ts_before IS NOT NULL AND COALESCE(c.level, '') <> COALESCE(c.level_before, '');
