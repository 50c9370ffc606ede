-- The artists people play, by day (UTC), as the logs name them. One row per day and artist with plays.
-- grain: day, artist
CREATE VIEW analytics.top_artists_by_day AS
SELECT
    CAST(p.start_time AS DATE) AS day,
    p.artist,
    COUNT(*) AS plays
FROM songplays AS p
GROUP BY CAST(p.start_time AS DATE), p.artist;
