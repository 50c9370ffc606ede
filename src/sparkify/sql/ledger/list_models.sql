-- The user's own models as they stand in the warehouse, each after those it stands on. upto_run is 0 where a
-- run since has not brought them up to date: it did not know of them.
SELECT
    m.model,
    m.materialized,
    m.digest,
    m.build_order,
    m.run_id,
    CASE WHEN m.upto_run >= r.latest_run THEN m.upto_run ELSE 0 END AS upto_run
FROM etl.models AS m
CROSS JOIN (SELECT COALESCE(MAX(run_id), 0) AS latest_run FROM etl.runs WHERE status = 'done') AS r
ORDER BY m.build_order, m.model;
