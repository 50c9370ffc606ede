-- of 90da929cc653c78a
SELECT file_id, kind, uri, size, version, state, run_id FROM etl.files WHERE state IN ('loaded', 'retracted');
