-- Plays found in the catalogue by day
-- One row per UTC day with plays; the latest 366 days of the range. matched: plays of a song in the
-- catalogue, by title and artist, of the same length or another. share: matched divided by plays.
SELECT
    CAST(h.utc_hour AS DATE) AS day,
    CAST(SUM(h.plays) AS BIGINT) AS plays,
    CAST(SUM(h.matched) AS BIGINT) AS matched,
    CAST(SUM(h.matched) AS DOUBLE PRECISION) / SUM(h.plays) AS share
FROM hours_played AS h
WHERE h.utc_hour >= :days_since
GROUP BY CAST(h.utc_hour AS DATE)
ORDER BY 1;
