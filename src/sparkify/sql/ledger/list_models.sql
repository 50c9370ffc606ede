-- The user's own models as they stand in the warehouse, each after those it stands on.
SELECT model, materialized, digest, build_order, run_id
FROM etl.models
ORDER BY build_order, model;
