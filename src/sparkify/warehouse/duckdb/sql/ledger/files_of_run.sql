-- of 82143ff8e838f4eb
SELECT file_id, uri, state FROM etl.files WHERE run_id = $run_id;
