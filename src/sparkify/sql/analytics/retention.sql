-- Who comes back: of the people of a cohort, how many were there so many weeks later. One row per cohort and
-- week in which some were.
-- grain: cohort_by, cohort, weeks_later
-- A cohort is all people whose first event of all (cohort_by first_event), or whose registration
-- (cohort_by registration, where the logs tell it), lies in the week from its Monday (cohort, UTC) on.
-- people: with any event in the week that begins weeks_later weeks after cohort. cohort_people: all of it.
CREATE VIEW analytics.retention AS
WITH user_weeks AS (
    SELECT u.user_id, CAST(DATE_TRUNC('week', u.day) AS DATE) AS week, u.day_before
    FROM analytics.user_days AS u
    WHERE u.day_before IS NULL OR u.day_before < CAST(DATE_TRUNC('week', u.day) AS DATE)
),

registered AS (
    SELECT e.user_id, MIN(e.registration) AS registration
    FROM staging_events AS e
    WHERE e.user_id <> '' AND e.registration BETWEEN 946684800000 AND 4102444799999
    GROUP BY e.user_id
),

cohorts AS (
    SELECT CAST('first_event' AS VARCHAR(16)) AS cohort_by, u.user_id, u.week AS cohort
    FROM user_weeks AS u
    WHERE u.day_before IS NULL
    UNION ALL
    SELECT
        CAST('registration' AS VARCHAR(16)) AS cohort_by,
        r.user_id,
        CAST(
            DATE_TRUNC(
                'week', DATEADD(ms, CAST(FLOOR(r.registration) AS BIGINT), '1970-01-01'::TIMESTAMP)
            ) AS DATE
        ) AS cohort
    FROM registered AS r
),

sizes AS (
    SELECT c.cohort_by, c.cohort, COUNT(*) AS cohort_people
    FROM cohorts AS c
    GROUP BY c.cohort_by, c.cohort
)

SELECT
    c.cohort_by,
    c.cohort,
    CAST(DATEDIFF(day, c.cohort, u.week) / 7.0 AS INTEGER) AS weeks_later,
    COUNT(*) AS people,
    s.cohort_people
FROM cohorts AS c
INNER JOIN user_weeks AS u ON c.user_id = u.user_id AND c.cohort <= u.week
INNER JOIN sizes AS s ON c.cohort_by = s.cohort_by AND c.cohort = s.cohort
GROUP BY c.cohort_by, c.cohort, u.week, s.cohort_people;
