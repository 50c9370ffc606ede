-- Records that were not loaded
-- Rejected records that nothing has resolved yet, by kind and reason, whatever the range; those of failed
-- runs are not among them. `sparkify rejects show` has each with its file, line and bytes.
SELECT
    r.kind,
    r.reason,
    COUNT(*) AS rejects,
    COUNT(DISTINCT r.uri) AS files,
    MIN(r.uri) AS first_file
FROM etl.rejects AS r
INNER JOIN etl.runs AS u ON r.run_id = u.run_id
WHERE u.status = 'done' AND r.resolved_by IS NULL
GROUP BY r.kind, r.reason
ORDER BY rejects DESC, r.kind, r.reason
LIMIT 100;
