-- What checks of severity warn have named in runs that were published.
SELECT DISTINCT c.check_name, c.subject
FROM etl.checks AS c
INNER JOIN etl.runs AS r ON c.run_id = r.run_id
WHERE c.severity = 'warn' AND c.failing_rows > 0 AND r.status = 'done';
