-- The same of a warehouse whose ledger has no contents yet.
SELECT f.uri, f.size, f.version, f.run_id, r.finished_at, CAST(NULL AS VARCHAR(32)) AS content
FROM etl.files AS f
LEFT JOIN etl.runs AS r ON f.run_id = r.run_id
WHERE f.file_id = :file_id AND f.state = 'loaded';
