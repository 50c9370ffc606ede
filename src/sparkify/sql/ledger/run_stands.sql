-- Whether a run whose COMMIT got no answer was committed.
SELECT run_id FROM etl.runs WHERE run_id = :run_id AND started_at = :started_at AND status = 'done';
