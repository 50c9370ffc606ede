-- of 1e8d7c5b83eb06b1
SELECT COALESCE(MAX(run_id), 0) AS run_id FROM etl.runs;
