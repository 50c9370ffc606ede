-- The songs people play, by week (UTC), as the logs name them. One row per week and song with plays.
-- grain: week, song, artist
-- week is the date of its Monday.
CREATE VIEW analytics.top_songs_by_week AS
SELECT
    CAST(DATE_TRUNC('week', p.start_time) AS DATE) AS week,
    p.song,
    p.artist,
    COUNT(*) AS plays
FROM songplays AS p
GROUP BY CAST(DATE_TRUNC('week', p.start_time) AS DATE), p.song, p.artist;
