-- The files of the latest runs.
SELECT
    run_id,
    kind,
    state,
    rows_read,
    rows_loaded,
    rows_rejected,
    rows_erased,
    plays_loaded,
    size,
    uri
FROM etl.files
ORDER BY run_id DESC, uri
LIMIT :most;
