-- Note in the ledger how many records of loaded files are erased (run_erased_files).
UPDATE etl.files SET
    rows_loaded = files.rows_loaded - e.gone,
    plays_loaded = files.plays_loaded - e.plays,
    rows_erased = COALESCE(files.rows_erased, 0) + e.gone
FROM (
    SELECT r.file_id AS of_file, SUM(r.rows_erased) AS gone, SUM(r.plays_erased) AS plays
    FROM run_erased_files AS r
    GROUP BY r.file_id
) AS e
WHERE files.file_id = e.of_file AND files.state = 'loaded';
