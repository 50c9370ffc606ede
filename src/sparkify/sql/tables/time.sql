-- The start times of the plays in UTC, and their parts: hour, day, week, month, year, weekday.
-- grain: start_time
-- Sorted by time like songplays; distribution and encodings are left to AUTO, as AWS recommends.
-- Redshift does not enforce the key, but its planner trusts it: every run verifies it (unique_keys).
CREATE TABLE IF NOT EXISTS time (
    start_time TIMESTAMP NOT NULL,
    hour INTEGER NOT NULL,
    day INTEGER NOT NULL,
    week INTEGER NOT NULL,
    month INTEGER NOT NULL,
    year INTEGER NOT NULL,
    weekday INTEGER NOT NULL,
    PRIMARY KEY (start_time)
) SORTKEY (start_time);
