-- The first run that loaded a file of which something is erased now; a given one if there is no such file.
SELECT COALESCE(MIN(f.run_id), :run_id) AS run_id
FROM etl.files AS f
WHERE f.state = 'loaded' AND f.file_id IN (SELECT e.file_id FROM run_erased_files AS e);
