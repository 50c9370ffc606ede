-- The latest runs.
SELECT
    run_id,
    mode,
    status,
    started_at,
    finished_at,
    files_loaded,
    rows_read,
    rows_loaded,
    rows_rejected,
    rows_erased,
    plays_loaded,
    plays_matched,
    error
FROM etl.runs
ORDER BY run_id DESC
LIMIT :most;
