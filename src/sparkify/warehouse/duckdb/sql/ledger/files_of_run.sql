-- of 449acce6341cd087
SELECT file_id, uri FROM etl.files WHERE state = 'loaded' AND run_id = $run_id;
