-- The same of a warehouse of version 0 or 1, whose ledger has no contents of files.
SELECT file_id, kind, uri, size, version, state, run_id, rows_read, rows_rejected
FROM etl.files
WHERE state IN ('loaded', 'retracted');
