-- of 1aef3f765ed994cf
SELECT file_id, kind, uri, size, version, state FROM etl.files WHERE state IN ('loaded', 'retracted');
