-- The songs people play, by day (UTC), as the logs name them. One row per day and song with plays.
-- grain: day, song, artist
CREATE VIEW analytics.top_songs_by_day AS
SELECT
    CAST(p.start_time AS DATE) AS day,
    p.song,
    p.artist,
    COUNT(*) AS plays
FROM songplays AS p
GROUP BY CAST(p.start_time AS DATE), p.song, p.artist;
