-- Top artists
-- The 100 artists that were played most in the range, as the logs name them, in the catalogue or not. A row
-- without of_level counts all plays; one with it those on that level, whose 20 most played are listed too.
WITH counted AS (
    SELECT COALESCE(p.level, 'unknown') AS of_level, p.artist, CAST(SUM(p.plays) AS BIGINT) AS plays
    FROM songs_played AS p
    GROUP BY COALESCE(p.level, 'unknown'), p.artist
),

ranked AS (
    SELECT
        a.of_level, a.artist, a.plays,
        ROW_NUMBER() OVER (PARTITION BY a.of_level ORDER BY a.plays DESC, a.artist) AS place
    FROM (
        SELECT '' AS of_level, c.artist, CAST(SUM(c.plays) AS BIGINT) AS plays
        FROM counted AS c
        GROUP BY c.artist
        UNION ALL
        SELECT c.of_level, c.artist, c.plays
        FROM counted AS c
    ) AS a
)

SELECT
    NULLIF(r.of_level, '') AS of_level,
    r.place,
    r.artist,
    r.plays
FROM ranked AS r
WHERE r.place <= 20 OR (r.place <= 100 AND r.of_level = '')
ORDER BY r.of_level, r.place;
