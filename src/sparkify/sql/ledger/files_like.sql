-- The file of a URI as it is known now, and those of the same content.
SELECT file_id, kind, uri, size, version, state, run_id, rows_read, rows_rejected, content, reason
FROM etl.files
WHERE
    state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired')
    AND (uri = :uri OR content IN (SELECT c.content FROM etl.files AS c WHERE c.uri = :uri));
