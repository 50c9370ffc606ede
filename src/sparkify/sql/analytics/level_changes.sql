-- When people changed their level. One row per change.
-- grain: user_id, changed_at
-- changed_at (UTC) is the first event on another level than the one before: from_level ended there and
-- to_level began. NULL: unknown. The changes are those of analytics.user_levels.
CREATE VIEW analytics.level_changes AS
-- The first event on each level tells all, unless one level began before another had ended: then the first
-- of each day does, and where that is so within a day, every event.
WITH levels AS (
    SELECT
        g.user_id,
        NULLIF(RTRIM(g.level, ' '), '') AS level,
        MIN(g.first_ts) AS first_ts,
        MAX(g.last_ts) AS last_ts
    FROM (
        SELECT e.user_id, e.level, MIN(e.ts) AS first_ts, MAX(e.ts) AS last_ts
        FROM staging_events AS e
        WHERE e.user_id <> ''
        GROUP BY e.user_id, e.level
    ) AS g
    GROUP BY g.user_id, NULLIF(RTRIM(g.level, ' '), '')
),

mixed_users AS (
    SELECT DISTINCT o.user_id
    FROM (
        SELECT
            l.user_id, l.first_ts,
            LAG(l.last_ts) OVER (PARTITION BY l.user_id ORDER BY l.first_ts) AS last_before
        FROM levels AS l
    ) AS o
    WHERE o.first_ts <= o.last_before
),

days AS (
    SELECT
        g.user_id,
        g.midnight,
        NULLIF(RTRIM(g.level, ' '), '') AS level,
        MIN(g.first_ts) AS first_ts,
        MAX(g.last_ts) AS last_ts
    FROM (
        SELECT
            e.user_id, e.ts - MOD(e.ts, 86400000) AS midnight, e.level,
            MIN(e.ts) AS first_ts, MAX(e.ts) AS last_ts
        FROM staging_events AS e
        INNER JOIN mixed_users AS u ON e.user_id = u.user_id
        GROUP BY e.user_id, e.ts - MOD(e.ts, 86400000), e.level
    ) AS g
    GROUP BY g.user_id, g.midnight, NULLIF(RTRIM(g.level, ' '), '')
),

mixed_days AS (
    SELECT DISTINCT o.user_id, o.midnight
    FROM (
        SELECT
            d.user_id, d.midnight, d.first_ts,
            LAG(d.last_ts) OVER (PARTITION BY d.user_id ORDER BY d.first_ts) AS last_before
        FROM days AS d
    ) AS o
    WHERE o.first_ts <= o.last_before
),

-- Events count once, as in analytics.events, and of one moment the last does.
distinct_events AS (
    SELECT k.user_id, k.item_in_session, k.ts, NULLIF(RTRIM(k.level, ' '), '') AS level
    FROM staging_events AS k
    INNER JOIN mixed_days AS d ON k.user_id = d.user_id AND k.ts - MOD(k.ts, 86400000) = d.midnight
    -- By the user alone DuckDB filters while it reads.
    WHERE k.user_id IN (SELECT x.user_id FROM mixed_days AS x)
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY k.user_id, k.session_id, k.item_in_session, k.ts
        ORDER BY CASE WHEN k.page = 'NextSong' THEN 0 ELSE 1 END, NULLIF(RTRIM(k.level, ' '), '')
    ) = 1
),

moments AS (
    SELECT l.user_id, l.first_ts AS ts, l.level
    FROM levels AS l
    LEFT JOIN mixed_users AS x ON l.user_id = x.user_id
    WHERE x.user_id IS NULL
    UNION ALL
    SELECT d.user_id, d.first_ts AS ts, d.level
    FROM days AS d
    LEFT JOIN mixed_days AS x ON d.user_id = x.user_id AND d.midnight = x.midnight
    WHERE x.user_id IS NULL
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
