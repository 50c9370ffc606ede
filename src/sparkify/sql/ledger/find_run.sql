-- The mode and status of a run, and how many files it loaded; no row if there is no such run.
SELECT mode, status, files_loaded FROM etl.runs WHERE run_id = :run_id;
