-- The last record of a file is whole.
-- scope: run
-- severity: warn
-- Threshold: none. A last line that merely lacks its line break is whole.
SELECT
    f.uri AS subject,
    'ends inside a record, line ' || CAST(MAX(r.line) AS VARCHAR(20)) || ': what follows is missing' AS found
FROM etl.files AS f
INNER JOIN etl.rejects AS r ON f.file_id = r.file_id AND f.run_id = r.run_id
WHERE f.state = 'loaded' AND f.run_id >= :first_run AND r.reason = 'truncated_file'
GROUP BY f.uri
ORDER BY f.uri;
