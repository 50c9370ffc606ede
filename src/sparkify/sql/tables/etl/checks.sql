-- Results of the data checks of every run.
-- grain: run_id, check_name
CREATE TABLE IF NOT EXISTS etl.checks (
    run_id INTEGER NOT NULL,
    check_name VARCHAR(64) NOT NULL,
    failing_rows BIGINT NOT NULL,
    sample VARCHAR(4096)
);
