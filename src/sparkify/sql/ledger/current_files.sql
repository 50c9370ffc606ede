-- The files as they are known now: those whose rows are in staging, those that no run loads, and copies.
SELECT file_id, kind, uri, size, version, state, run_id, rows_read, rows_rejected, content, reason
FROM etl.files
WHERE state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired');
