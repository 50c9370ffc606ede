-- Fields of the files for which the warehouse has no column, by run; their values are in the column extra of
-- staging.
-- grain: run_id, kind, field
CREATE TABLE IF NOT EXISTS etl.unknown_fields (
    run_id INTEGER NOT NULL,
    kind VARCHAR(16) NOT NULL,
    field VARCHAR(1024) NOT NULL,
    occurrences BIGINT NOT NULL,
    first_uri VARCHAR(4096) NOT NULL
);
