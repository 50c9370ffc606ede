-- The same of a warehouse of version 7 and before, which counts no erased records.
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
    plays_loaded,
    plays_matched,
    error
FROM etl.runs
ORDER BY run_id DESC
LIMIT :most;
