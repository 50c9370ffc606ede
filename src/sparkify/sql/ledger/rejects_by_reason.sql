-- Rejected records that nothing has resolved yet, and those of the latest run if it failed, by kind and
-- reason. A failed run publishes neither its rows nor its rejected records.
SELECT
    r.kind,
    r.reason,
    COUNT(*) AS rejects,
    COUNT(DISTINCT r.uri) AS files,
    u.status = 'done' AS published,
    MIN(r.run_id) AS first_run,
    MAX(r.run_id) AS last_run,
    MIN(r.uri) AS first_file
FROM etl.rejects AS r
INNER JOIN etl.runs AS u ON r.run_id = u.run_id
WHERE
    (u.status = 'done' AND r.resolved_by IS NULL)
    OR (u.status = 'failed' AND r.run_id IN (SELECT MAX(l.run_id) FROM etl.runs AS l))
GROUP BY r.kind, r.reason, u.status = 'done'
ORDER BY published DESC, rejects DESC, r.kind, r.reason;
