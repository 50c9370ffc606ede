-- The ten top songs, week by week
-- Plays by week (UTC, its Monday) of the ten titles that were played most in the range, in the latest 366
-- days of it. A week without plays has no row; the first and the last may be cut by the range.
WITH most AS (
    SELECT t.song, t.artist, ROW_NUMBER() OVER (ORDER BY t.plays DESC, t.song, t.artist) AS place
    FROM (
        SELECT p.song, p.artist, SUM(p.plays) AS plays
        FROM songs_played AS p
        GROUP BY p.song, p.artist
    ) AS t
)

SELECT
    m.place,
    m.song,
    m.artist,
    CAST(DATE_TRUNC('week', p.start_time) AS DATE) AS week,
    COUNT(*) AS plays
FROM most AS m
INNER JOIN songplays AS p
    ON COALESCE(m.song, '') = COALESCE(p.song, '') AND COALESCE(m.artist, '') = COALESCE(p.artist, '')
WHERE m.place <= 10 AND p.start_time >= :days_since AND p.start_time < :until
GROUP BY m.place, m.song, m.artist, DATE_TRUNC('week', p.start_time)
ORDER BY m.place, 4;
