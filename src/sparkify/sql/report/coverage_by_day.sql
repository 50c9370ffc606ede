-- Plays found in the catalogue by day
-- One row per UTC day with plays; the latest 366 days of the range. matched: plays of a song in the
-- catalogue, by title and artist, of the same length or another. share: matched divided by plays.
SELECT
    CAST(p.start_time AS DATE) AS day,
    COUNT(*) AS plays,
    COUNT(p.song_id) AS matched,
    CAST(COUNT(p.song_id) AS DOUBLE PRECISION) / COUNT(*) AS share
FROM songplays AS p
WHERE p.start_time >= :days_since AND p.start_time < :until
GROUP BY CAST(p.start_time AS DATE)
ORDER BY 1;
