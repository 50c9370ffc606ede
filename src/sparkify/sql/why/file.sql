-- The file of a number, as it is loaded, and the run that loaded it.
SELECT f.uri, f.size, f.version, f.run_id, r.finished_at, f.content
FROM etl.files AS f
LEFT JOIN etl.runs AS r ON f.run_id = r.run_id
WHERE f.file_id = :file_id AND f.state = 'loaded';
