-- What the events of each UTC day come to. One row per day that has events.
-- grain: day
-- A function of staging and songplays, like the star: the model star/days.sql computes it. Times are in ms
-- since 1970. longest_gap_ms is the longest stretch without an event that ends in the day, the one since the
-- last event of an earlier day included (NULL: the first event of all ends none); gap_within_ms leaves that
-- one out. absent names the columns of staging_events that are NULL in every event of the day.
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
