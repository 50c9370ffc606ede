-- The same of a warehouse of version 3 and before, whose rejected records have no kind and are not resolved:
-- those of the files as loaded now, and of the latest run if it failed.
SELECT
    f.kind,
    r.reason,
    COUNT(*) AS rejects,
    COUNT(DISTINCT r.uri) AS files,
    f.file_id IS NOT NULL AS published,
    MIN(r.run_id) AS first_run,
    MAX(r.run_id) AS last_run,
    MIN(r.uri) AS first_file
FROM etl.rejects AS r
LEFT JOIN etl.files AS f ON r.file_id = f.file_id AND r.run_id = f.run_id AND f.state = 'loaded'
WHERE
    f.file_id IS NOT NULL
    OR r.run_id IN (
        SELECT MAX(u.run_id) FROM etl.runs AS u
        HAVING MAX(u.run_id) = MAX(CASE WHEN u.status = 'failed' THEN u.run_id END)
    )
GROUP BY f.kind, r.reason, f.file_id IS NOT NULL
ORDER BY published DESC, rejects DESC, r.reason;
