-- Gender
-- Plays of the range by the gender of the listener, as of the latest event, and the level of the play.
-- Listeners are counted once on each level: they do not add up.
SELECT
    u.gender,
    g.level,
    CAST(SUM(g.plays) AS BIGINT) AS plays,
    COUNT(*) AS listeners
FROM (
    SELECT l.user_id, l.level, SUM(l.plays) AS plays
    FROM listeners AS l
    GROUP BY l.user_id, l.level
) AS g
INNER JOIN users AS u ON g.user_id = u.user_id
GROUP BY u.gender, g.level
ORDER BY 1, 2;
