-- Fields without a column can be given one.
CREATE TABLE IF NOT EXISTS etl.fields (
    kind VARCHAR(16) NOT NULL,
    field VARCHAR(1024) NOT NULL,
    path VARCHAR(4096) NOT NULL,
    column_name VARCHAR(128) NOT NULL,
    column_type VARCHAR(16) NOT NULL,
    column_width INTEGER,
    run_id INTEGER NOT NULL
);
