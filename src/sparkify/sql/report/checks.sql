-- Checks and warnings
-- Every check of the latest run that made any, whatever the range. ok: no row breaks it. One of severity
-- warn has a row for each day or file it names (subject). `sparkify check` makes them anew.
SELECT
    c.check_name,
    CASE
        WHEN c.failing_rows = 0 THEN 'ok'
        WHEN c.severity = 'warn' THEN 'warn'
        ELSE 'FAIL'
    END AS result,
    c.failing_rows,
    c.subject,
    c.sample,
    c.run_id
FROM etl.checks AS c
WHERE c.run_id IN (SELECT MAX(l.run_id) FROM etl.checks AS l)
ORDER BY c.failing_rows DESC, c.severity, c.check_name, c.subject
LIMIT 100;
