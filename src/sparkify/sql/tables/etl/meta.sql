-- The versions of the tables, rules and models that the warehouse was made with.
-- grain: one row
-- models_digest holds a digest of every model, such as `songs=1f2e… artists=…`.
CREATE TABLE IF NOT EXISTS etl.meta (
    schema_version INTEGER NOT NULL,
    rules_version INTEGER NOT NULL,
    models_digest VARCHAR(4096) NOT NULL,
    made_by VARCHAR(32) NOT NULL,
    upgraded_by VARCHAR(32),
    upgraded_at TIMESTAMP
);
