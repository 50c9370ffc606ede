-- Plays have a title and an artist.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 20 plays or more, at least 10 lack one of them; that is more than 5 %, and
-- 3 times the share in the 28 days with events before (no such day: none lacked any).
WITH before AS (
    SELECT
        d.day,
        d.first_ts,
        d.plays,
        d.plays_without_title AS titles,
        d.plays_without_artist AS artists,
        SUM(d.plays) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS plays_before,
        SUM(d.plays_without_title) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS titles_before,
        SUM(d.plays_without_artist) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS artists_before
    FROM etl.days AS d
),

days AS (
    SELECT
        b.day,
        b.plays,
        b.titles,
        b.artists,
        CAST(COALESCE(b.plays_before, 0) AS BIGINT) AS plays_before,
        CAST(COALESCE(b.titles_before, 0) AS BIGINT) AS titles_before,
        CAST(COALESCE(b.artists_before, 0) AS BIGINT) AS artists_before
    FROM before AS b
    WHERE b.first_ts BETWEEN :days_from AND :days_to AND b.plays >= 20
)

SELECT
    CAST(d.day AS VARCHAR(10)) AS subject,
    'of ' || CAST(d.plays AS VARCHAR(20)) || ' plays ' || CAST(d.titles AS VARCHAR(20))
    || ' have no title and ' || CAST(d.artists AS VARCHAR(20)) || ' no artist; in the 28 days before, of '
    || CAST(d.plays_before AS VARCHAR(20)) || ' plays ' || CAST(d.titles_before AS VARCHAR(20)) || ' and '
    || CAST(d.artists_before AS VARCHAR(20)) AS found
FROM days AS d
WHERE
    (
        d.titles >= 10 AND d.titles * 20 > d.plays
        AND d.titles * d.plays_before >= 3 * d.plays * d.titles_before
    )
    OR (
        d.artists >= 10 AND d.artists * 20 > d.plays
        AND d.artists * d.plays_before >= 3 * d.plays * d.artists_before
    )
ORDER BY subject;
