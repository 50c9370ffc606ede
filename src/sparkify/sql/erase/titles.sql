-- When the titles of the plays that went (run_gone) are played now. A bound that was the moment of one of
-- these plays becomes the edge of its UTC day: it is a hint, and to find the exact one would read every
-- play. Titles that somebody else may not have played at all are looked up (run_played): each of their
-- bounds was a moment of these plays, or is such an edge.
DELETE FROM run_played;

INSERT INTO run_played (song, artist, played_from, played_to)
SELECT t.song, t.artist, t.played_from, t.played_to
FROM etl.played_titles AS t
INNER JOIN (
    SELECT
        RTRIM(g.song, ' ') AS title,
        RTRIM(g.artist, ' ') AS artist_name,
        MIN(g.ts) AS first_ts,
        MAX(g.ts) AS last_ts
    FROM run_gone AS g
    WHERE g.page = 'NextSong' AND g.user_id IS NULL
    GROUP BY RTRIM(g.song, ' '), RTRIM(g.artist, ' ')
) AS d ON t.song = d.title AND t.artist = d.artist_name
WHERE
    (t.played_from = d.first_ts OR MOD(t.played_from, 86400000) = 0)
    AND (t.played_to = d.last_ts OR MOD(t.played_to, 86400000) = 86399999);

UPDATE etl.played_titles SET
    played_from = CASE
        WHEN played_from = d.first_ts THEN played_from - MOD(played_from, 86400000) ELSE played_from
    END,
    played_to = CASE
        WHEN played_to = d.last_ts THEN played_to - MOD(played_to, 86400000) + 86399999 ELSE played_to
    END
FROM (
    SELECT
        RTRIM(g.song, ' ') AS title,
        RTRIM(g.artist, ' ') AS artist_name,
        MIN(g.ts) AS first_ts,
        MAX(g.ts) AS last_ts
    FROM run_gone AS g
    WHERE g.page = 'NextSong' AND g.user_id IS NULL
    GROUP BY RTRIM(g.song, ' '), RTRIM(g.artist, ' ')
) AS d
WHERE song = d.title AND artist = d.artist_name AND (played_from = d.first_ts OR played_to = d.last_ts);

SELECT MIN(p.played_from) AS titles_from, MAX(p.played_to) AS titles_to FROM run_played AS p;
