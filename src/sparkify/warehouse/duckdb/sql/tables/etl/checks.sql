-- of 09d257e7814333d0
CREATE TABLE IF NOT EXISTS etl.checks (run_id INT NOT NULL, check_name TEXT(64) NOT NULL, failing_rows BIGINT NOT NULL, sample TEXT(4096));
