-- The history of runs. One row per run that had something to do.
-- grain: run_id
CREATE TABLE IF NOT EXISTS etl.runs (
    run_id INTEGER NOT NULL,
    mode VARCHAR(16) NOT NULL,
    status VARCHAR(16) NOT NULL,
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP NOT NULL,
    files_loaded BIGINT,
    rows_read BIGINT,
    rows_loaded BIGINT,
    rows_rejected BIGINT,
    plays_loaded BIGINT,
    duplicates BIGINT,
    songplays BIGINT,
    plays_matched BIGINT,
    version VARCHAR(32) NOT NULL,
    error VARCHAR(4096),
    rows_erased BIGINT
);
