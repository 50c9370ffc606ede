-- of 31c6208a39fefedf
CREATE TABLE IF NOT EXISTS users (user_id TEXT(64) NOT NULL, first_name TEXT(1024), last_name TEXT(1024), gender TEXT(16), level TEXT(16), last_seen_ts BIGINT NOT NULL, last_item_in_session INT NOT NULL);
