-- The files whose rows are in staging.
SELECT file_id, kind, uri, size, version FROM etl.files WHERE state = 'loaded';
