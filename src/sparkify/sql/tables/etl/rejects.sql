-- Quarantine: every rejected line, with its place, the reason, and its bytes.
-- grain: file_id, run_id, byte_offset
CREATE TABLE IF NOT EXISTS etl.rejects (
    run_id INTEGER NOT NULL,
    file_id BIGINT NOT NULL,
    uri VARCHAR(4096) NOT NULL,
    line BIGINT NOT NULL,
    byte_offset BIGINT NOT NULL,
    reason VARCHAR(32) NOT NULL,
    detail VARCHAR(1024) NOT NULL,
    content VARCHAR(65535) NOT NULL,
    encoding VARCHAR(16) NOT NULL,
    size BIGINT,
    resolved_by INTEGER,
    kind VARCHAR(16)
);
