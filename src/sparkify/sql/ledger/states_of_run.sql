-- The present states of the files that a run loaded.
SELECT state, COUNT(*) AS files FROM etl.files WHERE run_id = :run_id GROUP BY state;
