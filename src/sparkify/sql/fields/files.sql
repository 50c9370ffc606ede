-- The loaded files of a kind and how many rows each has in staging.
SELECT
    f.file_id,
    f.rows_loaded
FROM etl.files AS f
WHERE f.kind = :kind AND f.state = 'loaded' AND f.rows_loaded > 0
ORDER BY f.file_id;
