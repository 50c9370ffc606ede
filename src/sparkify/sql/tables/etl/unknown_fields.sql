-- Fields of the files for which the warehouse has no column: not loaded, but counted.
-- grain: run_id, kind, field
CREATE TABLE IF NOT EXISTS etl.unknown_fields (
    run_id INTEGER NOT NULL,
    kind VARCHAR(16) NOT NULL,
    field VARCHAR(1024) NOT NULL,
    occurrences BIGINT NOT NULL,
    first_uri VARCHAR(4096) NOT NULL
);
