-- Devices
-- Plays of the range by what the user agent says of the device, and the level of the play. Listeners are
-- counted once on each device and level: they do not add up.
SELECT
    d.device,
    d.level,
    CAST(SUM(d.plays) AS BIGINT) AS plays,
    COUNT(DISTINCT d.user_id) AS listeners
FROM (
    SELECT
        CASE
            WHEN g.user_agent LIKE '%iPhone%' THEN 'iPhone'
            WHEN g.user_agent LIKE '%iPad%' THEN 'iPad'
            WHEN g.user_agent LIKE '%Android%' THEN 'Android'
            WHEN g.user_agent LIKE '%Windows%' THEN 'Windows'
            WHEN g.user_agent LIKE '%Macintosh%' THEN 'Mac'
            WHEN g.user_agent LIKE '%Linux%' THEN 'Linux'
            WHEN g.user_agent IS NOT NULL THEN 'other'
        END AS device,
        g.level,
        g.user_id,
        g.plays
    FROM (
        SELECT l.user_agent, l.level, l.user_id, SUM(l.plays) AS plays
        FROM listeners AS l
        GROUP BY l.user_agent, l.level, l.user_id
    ) AS g
) AS d
GROUP BY d.device, d.level
ORDER BY 1, 2;
