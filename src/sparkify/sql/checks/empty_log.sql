-- A log holds events, where nearly all logs do.
-- scope: run
-- severity: warn
-- Thresholds: fewer than one in ten of the 30 latest logs are empty, this one included.
WITH latest AS (
    SELECT f.rows_read
    FROM etl.files AS f
    WHERE f.kind = 'events' AND f.state = 'loaded'
    ORDER BY f.run_id DESC, f.uri DESC
    LIMIT 30
),

counted AS (
    SELECT COUNT(*) AS files, COUNT(CASE WHEN l.rows_read = 0 THEN 1 END) AS empty_files
    FROM latest AS l
)

SELECT
    f.uri AS subject,
    'holds no record; of the ' || CAST(c.files AS VARCHAR(20)) || ' latest logs '
    || CAST(c.empty_files AS VARCHAR(20)) || CASE WHEN c.empty_files = 1 THEN ' is' ELSE ' are' END
    || ' empty' AS found
FROM etl.files AS f
CROSS JOIN counted AS c
WHERE
    f.kind = 'events' AND f.state = 'loaded' AND f.run_id >= :first_run AND f.rows_read = 0
    AND c.empty_files * 10 < c.files
ORDER BY f.uri;
