-- The warehouse gets a version. Its rules are those of version 1; the models it was made by are not known.
CREATE TABLE IF NOT EXISTS etl.meta (
    schema_version INTEGER NOT NULL,
    rules_version INTEGER NOT NULL,
    models_digest VARCHAR(4096) NOT NULL,
    made_by VARCHAR(32) NOT NULL,
    upgraded_by VARCHAR(32),
    upgraded_at TIMESTAMP
);

INSERT INTO etl.meta (schema_version, rules_version, models_digest, made_by)
SELECT
    0 AS schema_version,
    1 AS rules_version,
    '' AS models_digest,
    COALESCE(MAX(version), '0.1.0') AS made_by
FROM etl.runs;
