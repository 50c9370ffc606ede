-- Rejects of the files as they are loaded now, and of the latest run if it failed: by reason.
SELECT r.reason, COUNT(*) AS rejects, COUNT(DISTINCT r.uri) AS files, MIN(r.uri) AS first_file
FROM etl.rejects AS r
WHERE
    EXISTS (
        SELECT 1 FROM etl.files AS f
        WHERE f.file_id = r.file_id AND f.run_id = r.run_id AND f.state = 'loaded'
    )
    OR r.run_id IN (
        SELECT MAX(u.run_id) FROM etl.runs AS u
        HAVING MAX(u.run_id) = MAX(CASE WHEN u.status = 'failed' THEN u.run_id END)
    )
GROUP BY r.reason
ORDER BY rejects DESC, r.reason;
