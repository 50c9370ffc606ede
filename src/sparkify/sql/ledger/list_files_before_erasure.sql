-- The same of a warehouse of version 7 and before, which counts no erased records.
SELECT
    run_id,
    kind,
    state,
    rows_read,
    rows_loaded,
    rows_rejected,
    plays_loaded,
    size,
    uri
FROM etl.files
ORDER BY run_id DESC, uri
LIMIT :most;
