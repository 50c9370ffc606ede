-- The files whose rows are in staging, and the retracted files, which no run loads again.
SELECT file_id, kind, uri, size, version, state, run_id, rows_rejected
FROM etl.files
WHERE state IN ('loaded', 'retracted');
