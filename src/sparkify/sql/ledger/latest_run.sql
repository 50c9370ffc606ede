-- The number of the latest run; 0 before the first.
SELECT COALESCE(MAX(run_id), 0) AS run_id FROM etl.runs;
