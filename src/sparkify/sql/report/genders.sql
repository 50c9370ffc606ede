-- Gender
-- Plays of the range by the gender of the listener, as of the latest event, and the level of the play.
-- Listeners are counted once on each level: they do not add up.
SELECT
    u.gender,
    g.level,
    CAST(SUM(g.plays) AS BIGINT) AS plays,
    COUNT(*) AS listeners
FROM (
    SELECT v.user_id, v.level, SUM(v.plays) AS plays
    FROM visits AS v
    GROUP BY v.user_id, v.level
) AS g
INNER JOIN users AS u ON g.user_id = u.user_id
GROUP BY u.gender, g.level
ORDER BY 1, 2;
