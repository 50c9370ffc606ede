-- What a run was and how it ended; no row where it never was.
SELECT mode, status FROM etl.runs WHERE run_id = :run_id;
