-- of 33327fffc6851588
SELECT run_id FROM etl.runs WHERE run_id = $run_id AND started_at = $started_at AND status = 'done';
