-- People seen in the app, on any page, as of their latest event.
-- grain: user_id
-- Storage is AUTO, as AWS recommends: every node has a copy of a small table, so that joins move no rows.
-- Redshift does not enforce the key, but its planner trusts it: every run verifies it (unique_keys).
CREATE TABLE IF NOT EXISTS users (
    user_id VARCHAR(64) NOT NULL,
    first_name VARCHAR(1024),
    last_name VARCHAR(1024),
    gender VARCHAR(16),
    level VARCHAR(16),
    last_seen_ts BIGINT NOT NULL,
    last_item_in_session INTEGER NOT NULL,
    PRIMARY KEY (user_id)
);
