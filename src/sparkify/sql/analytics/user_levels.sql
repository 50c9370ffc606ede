-- The history of people's levels. One row per user and stretch of time on one level.
-- grain: user_id, valid_from
-- From the first event on a level (valid_from, UTC, included) to the first on another (valid_to, left out;
-- NULL: still so). Stretches neither overlap nor leave gaps, neighbours differ in level, and the last one has
-- the level of users. level NULL: unknown. Names are those of the stretch's last event.
-- It is a function of the events: late ones, duplicates and removed files change it as a full refresh would.
CREATE VIEW analytics.user_levels AS
WITH moments AS (
    SELECT e.user_id, e.ts, e.event_at, e.level, e.first_name, e.last_name
    FROM analytics.events AS e
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY e.user_id, e.ts
        ORDER BY e.item_in_session DESC, e.level, e.first_name, e.last_name, e.gender
    ) = 1
),

changes AS (
    SELECT
        m.user_id, m.ts, m.event_at, m.level, m.first_name, m.last_name,
        CASE
            WHEN
                COALESCE(m.level, '')
                <> COALESCE(LAG(m.level) OVER (PARTITION BY m.user_id ORDER BY m.ts), '')
                THEN 1
            ELSE 0
        END AS changed
    FROM moments AS m
),

stretches AS (
    SELECT
        c.user_id, c.ts, c.event_at, c.level, c.first_name, c.last_name,
        SUM(c.changed) OVER (PARTITION BY c.user_id ORDER BY c.ts ROWS UNBOUNDED PRECEDING) AS stretch
    FROM changes AS c
),

lasts AS (
    SELECT
        s.user_id, s.level, s.stretch, s.first_name, s.last_name,
        MIN(s.event_at) OVER (PARTITION BY s.user_id, s.stretch) AS valid_from
    FROM stretches AS s
    QUALIFY ROW_NUMBER() OVER (PARTITION BY s.user_id, s.stretch ORDER BY s.ts DESC) = 1
)

SELECT
    l.user_id,
    l.level,
    l.valid_from,
    LEAD(l.valid_from) OVER (PARTITION BY l.user_id ORDER BY l.stretch) AS valid_to,
    l.first_name,
    l.last_name
FROM lasts AS l;
