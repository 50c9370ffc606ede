-- The people who are looked for, by hashes of their ids.
CREATE TEMP TABLE IF NOT EXISTS run_sought (digest VARCHAR(64) NOT NULL);

DELETE FROM run_sought;
