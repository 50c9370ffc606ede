-- The files whose rows are in staging, and those that were retracted and are to stay out.
SELECT file_id, kind, uri, size, version, state, run_id, rows_rejected
FROM etl.files
WHERE state IN ('loaded', 'retracted');
