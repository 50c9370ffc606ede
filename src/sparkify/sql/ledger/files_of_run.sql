-- The files a run loaded, and what became of their rows since.
SELECT file_id, uri, state FROM etl.files WHERE run_id = :run_id;
