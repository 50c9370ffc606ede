-- As many plays match a song as before.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 50 plays or more, after 7 days with events or more, fewer match than 3/4 of what
-- the rate of the 28 days before lets expect, by more than 5 standard deviations of chance.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.plays,
        d.plays_matched,
        COUNT(*) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS days_before,
        CAST(SUM(d.plays) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS DOUBLE PRECISION)
            AS plays_before,
        CAST(
            SUM(d.plays_matched) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING)
            AS DOUBLE PRECISION
        ) AS matched_before
    FROM etl.days AS d
),

expected AS (
    SELECT
        d.day,
        d.plays,
        d.plays_matched,
        d.plays_before,
        d.matched_before / d.plays_before AS rate,
        d.plays * d.matched_before / d.plays_before AS matches
    FROM days AS d
    WHERE
        d.first_ts BETWEEN :days_from AND :days_to
        AND d.days_before >= 7 AND d.plays >= 50 AND d.plays_before > 0
)

SELECT
    CAST(e.day AS VARCHAR(10)) AS subject,
    CAST(e.plays_matched AS VARCHAR(20)) || ' of ' || CAST(e.plays AS VARCHAR(20))
    || ' plays match a song ('
    || CAST(CAST(100.0 * e.plays_matched / e.plays AS DECIMAL(18, 1)) AS VARCHAR(20))
    || ' %); in the 28 days before, '
    || CAST(CAST(100.0 * e.rate AS DECIMAL(18, 1)) AS VARCHAR(20)) || ' %' AS found
FROM expected AS e
WHERE
    e.plays_matched < 0.75 * e.matches
    AND (e.matches - e.plays_matched) * (e.matches - e.plays_matched)
    > 25 * e.matches * (1 - e.rate) * (1 + e.plays / e.plays_before)
ORDER BY subject;
