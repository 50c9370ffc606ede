-- Who and what was erased, so that no later file brings it back. A person is known by keyed hashes alone.
-- grain: person, field, digest
-- person is the hash of a user id; each row has the hash of one value of a field of that person's. hash_key,
-- the same in every row, is what is hashed before a value. keeps_plays: the plays stay, under another id.
-- A row without a person is a bound of time: events before before_ts (ms since 1970) are erased.
CREATE TABLE IF NOT EXISTS etl.erased (
    run_id INTEGER NOT NULL,
    person VARCHAR(64),
    field VARCHAR(16) NOT NULL,
    digest VARCHAR(64),
    keeps_plays BOOLEAN,
    hash_key VARCHAR(64),
    before_ts BIGINT
);
