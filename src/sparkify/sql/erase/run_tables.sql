-- A run's own tables of what it erases.
-- People, by the ids they have, and the id under which their plays stay (NULL: nothing stays).
CREATE TEMP TABLE IF NOT EXISTS run_forgotten (user_id VARCHAR(64) NOT NULL, anonymous VARCHAR(64));
-- Their events: what stays of one whose user_id is not NULL, which is nothing but the play. The last four say
-- whose it was, of events in staging; of those of which nothing stays, columns that nobody asks for are NULL.
CREATE TEMP TABLE IF NOT EXISTS run_gone (
    artist VARCHAR(1024),
    auth VARCHAR(64),
    item_in_session INTEGER,
    length DOUBLE PRECISION,
    level VARCHAR(16),
    method VARCHAR(16),
    page VARCHAR(64),
    session_id BIGINT,
    song VARCHAR(1024),
    status INTEGER,
    ts BIGINT,
    user_agent VARCHAR(1024),
    user_id VARCHAR(64),
    file_id BIGINT NOT NULL,
    of_user VARCHAR(64),
    first_name VARCHAR(1024),
    last_name VARCHAR(1024),
    location VARCHAR(1024)
);
-- Of each file, how many records are erased, and how many of these were plays.
CREATE TEMP TABLE IF NOT EXISTS run_erased_files (
    file_id BIGINT NOT NULL,
    rows_erased BIGINT NOT NULL,
    plays_erased BIGINT NOT NULL
);
CREATE TEMP TABLE IF NOT EXISTS run_erased_rejects (
    file_id BIGINT NOT NULL,
    run_id INTEGER NOT NULL,
    byte_offset BIGINT NOT NULL
);
DELETE FROM run_forgotten;

DELETE FROM run_gone;

DELETE FROM run_erased_files;

DELETE FROM run_erased_rejects;
