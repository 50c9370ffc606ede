-- The files as they are known now whose URIs are like a pattern.
SELECT file_id, kind, uri, size, version, state, run_id, rows_read, rows_rejected, content, reason
FROM etl.files
WHERE
    state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired')
    AND uri LIKE :pattern;
