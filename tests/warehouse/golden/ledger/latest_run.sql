SELECT COALESCE(MAX(run_id), 0) AS run_id FROM etl.runs;
