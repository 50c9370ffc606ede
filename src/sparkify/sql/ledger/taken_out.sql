-- The totals at the time of loading of the files that were just removed (run_files).
SELECT
    COUNT(*) AS files,
    COALESCE(SUM(f.rows_read), 0) AS rows_read,
    COALESCE(SUM(f.rows_loaded), 0) AS rows_loaded,
    COALESCE(SUM(f.rows_rejected), 0) AS rows_rejected,
    COALESCE(SUM(f.plays_loaded), 0) AS plays_loaded,
    COALESCE(SUM(f.rows_erased), 0) AS rows_erased
FROM etl.files AS f
INNER JOIN (
    SELECT file_id, MAX(run_id) AS run_id
    FROM etl.files
    WHERE file_id IN (SELECT file_id FROM run_files)
    GROUP BY file_id
) AS l ON f.file_id = l.file_id AND f.run_id = l.run_id;
