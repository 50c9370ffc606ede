-- The user's own models, as they stand in the warehouse. Made when there is the first of them.
-- grain: model
-- build_order counts from 0: each stands on those before it. A digest of '' says that it is to be made again.
-- run_id made it; upto_run was the last that brought its rows up to date.
CREATE TABLE IF NOT EXISTS etl.models (
    model VARCHAR(256) NOT NULL,
    materialized VARCHAR(16) NOT NULL,
    digest VARCHAR(32) NOT NULL,
    build_order INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    upto_run INTEGER NOT NULL
);
