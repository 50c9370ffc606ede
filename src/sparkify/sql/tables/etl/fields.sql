-- The fields that were adopted: that staging was given a column for.
-- grain: kind, field
-- path is the keys that lead to the field, as a JSON array: one, or more for a field inside an object. run_id
-- adopted it.
CREATE TABLE IF NOT EXISTS etl.fields (
    kind VARCHAR(16) NOT NULL,
    field VARCHAR(1024) NOT NULL,
    path VARCHAR(4096) NOT NULL,
    column_name VARCHAR(128) NOT NULL,
    column_type VARCHAR(16) NOT NULL,
    column_width INTEGER,
    run_id INTEGER NOT NULL
);
