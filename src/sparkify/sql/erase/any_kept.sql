-- Whether plays stay without their person: a row if so.
SELECT 1 AS any_kept FROM run_gone AS g WHERE g.user_id IS NOT NULL LIMIT 1;
