-- Log lines as COPY reads them: every value as its text, so that COPY converts, rounds and clips nothing.
-- The columns are the keys of the records, in lower case as Redshift folds names.
CREATE TEMP TABLE IF NOT EXISTS run_event_copy (
    artist VARCHAR(65535),
    auth VARCHAR(65535),
    firstname VARCHAR(65535),
    gender VARCHAR(65535),
    iteminsession VARCHAR(65535),
    lastname VARCHAR(65535),
    length VARCHAR(65535),
    level VARCHAR(65535),
    location VARCHAR(65535),
    method VARCHAR(65535),
    page VARCHAR(65535),
    registration VARCHAR(65535),
    sessionid VARCHAR(65535),
    song VARCHAR(65535),
    status VARCHAR(65535),
    ts VARCHAR(65535),
    useragent VARCHAR(65535),
    userid VARCHAR(65535),
    file_id BIGINT
);
