-- The ledger: every version of every file that a run read, and the counts of its lines.
-- grain: file_id, run_id; one row of a file_id at most has state loaded, retracted, set_aside, copy or
-- expired
-- rows_read is rows_loaded + rows_rejected + rows_erased.
-- reason and detail say why a file, or a later version of a loaded one, is set aside.
-- content is a 128-bit hash of the decoded bytes, in hexadecimal; NULL: empty, damaged, or not known.
CREATE TABLE IF NOT EXISTS etl.files (
    file_id BIGINT NOT NULL,
    run_id INTEGER NOT NULL,
    kind VARCHAR(16) NOT NULL,
    uri VARCHAR(4096) NOT NULL,
    size BIGINT NOT NULL,
    version VARCHAR(256) NOT NULL,
    state VARCHAR(16) NOT NULL,
    rows_read BIGINT NOT NULL,
    rows_loaded BIGINT NOT NULL,
    rows_rejected BIGINT NOT NULL,
    plays_loaded BIGINT NOT NULL,
    content VARCHAR(32),
    reason VARCHAR(16),
    detail VARCHAR(1024),
    rows_erased BIGINT
);
