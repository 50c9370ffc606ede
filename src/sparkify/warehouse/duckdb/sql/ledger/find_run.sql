-- of 04770f375c583552
SELECT mode, status FROM etl.runs WHERE run_id = $run_id;
