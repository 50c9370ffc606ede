-- The last runs
-- The latest 20 runs, whatever the range: records read = loaded + rejected. An undo counts below zero. A run
-- that failed published nothing.
SELECT
    r.run_id,
    r.mode,
    r.status,
    r.finished_at,
    r.files_loaded,
    r.rows_read,
    r.rows_loaded,
    r.rows_rejected,
    r.plays_loaded
FROM etl.runs AS r
ORDER BY r.run_id DESC
LIMIT 20;
