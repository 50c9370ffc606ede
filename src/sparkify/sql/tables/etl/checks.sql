-- Results of the data checks of every run.
-- grain: run_id, check_name, subject
-- A check of severity warn has one row for each day or file (subject) it names, one without a subject if it
-- names none; any other check has one row.
CREATE TABLE IF NOT EXISTS etl.checks (
    run_id INTEGER NOT NULL,
    check_name VARCHAR(64) NOT NULL,
    failing_rows BIGINT NOT NULL,
    sample VARCHAR(4096),
    severity VARCHAR(8),
    subject VARCHAR(4096)
);
