-- The files that a run loaded, as they are known now.
SELECT file_id, kind, uri, size, version, state, run_id, rows_read, rows_rejected, content, reason
FROM etl.files
WHERE state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired') AND run_id = :run_id;
