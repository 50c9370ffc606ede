-- of 32964d575d5ee040
SELECT run_id, kind, state, rows_read, rows_loaded, rows_rejected, plays_loaded, size, uri FROM etl.files ORDER BY run_id DESC NULLS FIRST, uri LIMIT $most;
