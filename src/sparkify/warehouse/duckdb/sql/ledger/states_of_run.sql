-- of 3c6569a14908c246
SELECT state, COUNT(*) AS files FROM etl.files WHERE run_id = $run_id GROUP BY state;
