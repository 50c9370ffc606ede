-- The mode and status of a run; no row if there is no such run.
SELECT mode, status FROM etl.runs WHERE run_id = :run_id;
