-- Where people listen
-- The 100 places with most plays in the range. A place is what the app says of where the listener is: a
-- metro area. listeners are counted once in each place and on each level; some listen in several. A row
-- without of_level counts all plays; one with it those on that level, whose 20 first places are listed too.
WITH counted AS (
    SELECT COALESCE(l.level, 'unknown') AS of_level, l.location, l.user_id, SUM(l.plays) AS plays
    FROM listeners AS l
    GROUP BY COALESCE(l.level, 'unknown'), l.location, l.user_id
),

ranked AS (
    SELECT
        a.of_level, a.location, a.plays, a.listeners,
        ROW_NUMBER() OVER (PARTITION BY a.of_level ORDER BY a.plays DESC, a.location) AS place
    FROM (
        SELECT
            '' AS of_level, c.location,
            CAST(SUM(c.plays) AS BIGINT) AS plays, COUNT(DISTINCT c.user_id) AS listeners
        FROM counted AS c
        GROUP BY c.location
        UNION ALL
        SELECT c.of_level, c.location, CAST(SUM(c.plays) AS BIGINT) AS plays, COUNT(*) AS listeners
        FROM counted AS c
        GROUP BY c.of_level, c.location
    ) AS a
)

SELECT
    NULLIF(r.of_level, '') AS of_level,
    r.place,
    r.location,
    r.plays,
    r.listeners
FROM ranked AS r
WHERE r.place <= 20 OR (r.place <= 100 AND r.of_level = '')
ORDER BY r.of_level, r.place;
