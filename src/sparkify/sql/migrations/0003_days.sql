-- The ledger keeps what the events of each day come to, and the severity of checks and what they name. The
-- next run computes the days from staging, because their model is new.
ALTER TABLE etl.checks ADD COLUMN severity VARCHAR(8);

ALTER TABLE etl.checks ADD COLUMN subject VARCHAR(4096);

CREATE TABLE IF NOT EXISTS etl.days (
    day DATE NOT NULL,
    events BIGINT NOT NULL,
    plays BIGINT NOT NULL,
    first_ts BIGINT NOT NULL,
    last_ts BIGINT NOT NULL,
    longest_gap_ms BIGINT,
    plays_without_title BIGINT NOT NULL,
    plays_without_artist BIGINT NOT NULL,
    plays_matched BIGINT NOT NULL,
    absent VARCHAR(4096) NOT NULL,
    gap_within_ms BIGINT
);
