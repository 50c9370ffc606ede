-- Who and what was erased is kept, and how many records of a file and of a run that was.
CREATE TABLE IF NOT EXISTS etl.erased (
    run_id INTEGER NOT NULL,
    person VARCHAR(64),
    field VARCHAR(16) NOT NULL,
    digest VARCHAR(64),
    keeps_plays BOOLEAN,
    hash_key VARCHAR(64),
    before_ts BIGINT
);

ALTER TABLE etl.files ADD COLUMN rows_erased BIGINT;

ALTER TABLE etl.runs ADD COLUMN rows_erased BIGINT;

UPDATE etl.files SET rows_erased = 0;

UPDATE etl.runs SET rows_erased = 0;
