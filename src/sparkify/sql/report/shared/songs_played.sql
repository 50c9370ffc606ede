-- Plays of the range by level and song, as the logs name it. One row per combination with plays.
-- grain: level, song, artist
SELECT
    p.level,
    p.song,
    p.artist,
    COUNT(*) AS plays,
    COUNT(p.song_id) AS matched
FROM songplays AS p
WHERE p.start_time >= :since AND p.start_time < :until
GROUP BY p.level, p.song, p.artist;
