-- Events as delivered. One row per accepted line of every current file.
-- Sorted by time, because a run recomputes plays by time; distribution and encodings are AUTO, as AWS
-- recommends. No key is declared: nothing verifies it, and Redshift's planner would trust it.
CREATE TABLE IF NOT EXISTS staging_events (
    artist VARCHAR(1024),
    auth VARCHAR(64),
    first_name VARCHAR(1024),
    gender VARCHAR(16),
    item_in_session INTEGER,
    last_name VARCHAR(1024),
    length DOUBLE PRECISION,
    level VARCHAR(16),
    location VARCHAR(1024),
    method VARCHAR(16),
    page VARCHAR(64),
    registration DOUBLE PRECISION,
    session_id BIGINT,
    song VARCHAR(1024),
    status INTEGER,
    ts BIGINT,
    user_agent VARCHAR(1024),
    user_id VARCHAR(64),
    file_id BIGINT NOT NULL,
    extra VARCHAR(65535)
) SORTKEY (ts);

-- The events of this run's files before they are accepted.
CREATE TEMP TABLE IF NOT EXISTS run_events (
    artist VARCHAR(1024),
    auth VARCHAR(64),
    first_name VARCHAR(1024),
    gender VARCHAR(16),
    item_in_session INTEGER,
    last_name VARCHAR(1024),
    length DOUBLE PRECISION,
    level VARCHAR(16),
    location VARCHAR(1024),
    method VARCHAR(16),
    page VARCHAR(64),
    registration DOUBLE PRECISION,
    session_id BIGINT,
    song VARCHAR(1024),
    status INTEGER,
    ts BIGINT,
    user_agent VARCHAR(1024),
    user_id VARCHAR(64),
    file_id BIGINT NOT NULL,
    extra VARCHAR(65535),
    needs_rereading BOOLEAN
);

-- Accept the events of this run.
INSERT INTO staging_events (
    artist, auth, first_name, gender, item_in_session, last_name, length, level, location, method, page,
    registration, session_id, song, status, ts, user_agent, user_id, file_id, extra
)
SELECT
    artist, auth, first_name, gender, item_in_session, last_name, length, level, location, method, page,
    registration, session_id, song, status, ts, user_agent, user_id, file_id, extra
FROM run_events;

-- Give landed events the new numbers of their files (run_moves).
UPDATE run_events SET file_id = run_moves.new_file_id FROM run_moves
WHERE run_events.file_id = run_moves.file_id;

-- The landed files of events (file_id in run_moves) that hold other rows than the staged files that
-- they may be (new_file_id): a row that one of them has more often. GROUP BY takes NULL for equal.
SELECT DISTINCT d.file_id, d.new_file_id
FROM (
    SELECT
        m.file_id,
        m.new_file_id,
        r.artist, r.auth, r.first_name, r.gender, r.item_in_session, r.last_name, r.length, r.level,
        r.location, r.method, r.page, r.registration, r.session_id, r.song, r.status, r.ts,
        r.user_agent, r.user_id,
        1 AS weight
    FROM run_events AS r
    INNER JOIN run_moves AS m ON r.file_id = m.file_id
    UNION ALL
    SELECT
        m.file_id,
        m.new_file_id,
        r.artist, r.auth, r.first_name, r.gender, r.item_in_session, r.last_name, r.length, r.level,
        r.location, r.method, r.page, r.registration, r.session_id, r.song, r.status, r.ts,
        r.user_agent, r.user_id,
        -1 AS weight
    FROM staging_events AS r
    INNER JOIN run_moves AS m ON r.file_id = m.new_file_id
) AS d
GROUP BY
    d.file_id, d.new_file_id, d.artist, d.auth, d.first_name, d.gender, d.item_in_session, d.last_name,
    d.length, d.level, d.location, d.method, d.page, d.registration, d.session_id, d.song, d.status, d.ts,
    d.user_agent, d.user_id
HAVING SUM(d.weight) <> 0;

-- Counts of every landed file of this run: rows, rows of the fact, the range of their times, rows that
-- need re-reading, null values, and rows with fields that have no column.
SELECT
    file_id,
    COUNT(*) AS landed,
    COUNT(CASE WHEN page = 'NextSong' THEN 1 END) AS plays,
    MIN(ts) AS ts_from,
    MAX(ts) AS ts_to,
    COUNT(CASE WHEN needs_rereading THEN 1 END) AS needs_rereading,
    18 * COUNT(*)
    - COUNT(artist) - COUNT(auth) - COUNT(first_name) - COUNT(gender) - COUNT(item_in_session)
    - COUNT(last_name) - COUNT(length) - COUNT(level) - COUNT(location) - COUNT(method) - COUNT(page)
    - COUNT(registration) - COUNT(session_id) - COUNT(song) - COUNT(status) - COUNT(ts)
    - COUNT(user_agent) - COUNT(user_id) AS null_values,
    COUNT(extra) AS extras
FROM run_events
GROUP BY file_id;

-- Events as COPY reads them: every value as text, so that COPY converts, rounds and
-- truncates nothing; a text that is too long for its column is an error. The columns are the keys of the
-- records, in lower case as Redshift folds names.
CREATE TEMP TABLE IF NOT EXISTS run_event_copy (
    artist VARCHAR(1025),
    auth VARCHAR(65),
    firstname VARCHAR(1025),
    gender VARCHAR(17),
    iteminsession VARCHAR(64),
    lastname VARCHAR(1025),
    length VARCHAR(64),
    level VARCHAR(17),
    location VARCHAR(1025),
    method VARCHAR(17),
    page VARCHAR(65),
    registration VARCHAR(64),
    sessionid VARCHAR(64),
    song VARCHAR(1025),
    status VARCHAR(64),
    ts VARCHAR(64),
    useragent VARCHAR(1025),
    userid VARCHAR(65),
    sparkify_extra VARCHAR(65535),
    file_id BIGINT
);

-- One file of events. The engine appends MANIFEST, GZIP or ZSTD, REGION. No MAXERROR: a file
-- with an error is skipped as a whole, and read again record by record.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid
)
FROM :source
IAM_ROLE :role
FORMAT AS JSON :jsonpaths
COMPUPDATE OFF STATUPDATE OFF;

-- Packed records (events), each with the number of its file. The engine appends MANIFEST GZIP and
-- REGION, and counts the records that COPY skips.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid, sparkify_extra, file_id
)
FROM :source
IAM_ROLE :role
FORMAT AS JSON :jsonpaths
MAXERROR 100000 COMPUPDATE OFF STATUPDATE OFF;

-- Set the file number of the rows copied last.
UPDATE run_event_copy SET file_id = :file_id WHERE file_id IS NULL;

-- Count the copied records.
SELECT COUNT(*) AS copied FROM run_event_copy;

-- List the files with at least one copied record.
SELECT DISTINCT file_id FROM run_event_copy;

-- Empty the table that COPY fills.
DELETE FROM run_event_copy;

-- Events into the run's table: texts that are certainly numbers are converted. Rows that may
-- break a rule, or that COPY may have read differently, need re-reading: their file is read again record
-- by record. These are texts that look like numbers with a fraction or an exponent (COPY makes no
-- difference between 1.50 and "1.50"), values that are too long, and, in files with nested values, texts
-- that begin like an object or array.
-- OCTET_LENGTH and LIKE are used because comparisons ignore trailing blanks. What is not built in was judged
-- when the records were packed.
INSERT INTO run_events (
    artist, auth, first_name, gender, item_in_session, last_name, length, level, location, method, page,
    registration, session_id, song, status, ts, user_agent, user_id, file_id, extra, needs_rereading
)
SELECT
    CASE WHEN OCTET_LENGTH(c.artist) <= 1024 THEN c.artist END AS artist,
    CASE WHEN OCTET_LENGTH(c.auth) <= 64 THEN c.auth END AS auth,
    CASE WHEN OCTET_LENGTH(c.firstname) <= 1024 THEN c.firstname END AS first_name,
    CASE WHEN OCTET_LENGTH(c.gender) <= 16 THEN c.gender END AS gender,
    CASE
        WHEN c.iteminsession ~ '^-?[0-9]{1,9}$'
            THEN CAST(c.iteminsession AS INTEGER)
    END AS item_in_session,
    CASE WHEN OCTET_LENGTH(c.lastname) <= 1024 THEN c.lastname END AS last_name,
    CASE
        WHEN c.length ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
            THEN CAST(c.length AS DOUBLE PRECISION)
    END AS length,
    CASE WHEN OCTET_LENGTH(c.level) <= 16 THEN c.level END AS level,
    CASE WHEN OCTET_LENGTH(c.location) <= 1024 THEN c.location END AS location,
    CASE WHEN OCTET_LENGTH(c.method) <= 16 THEN c.method END AS method,
    CASE WHEN OCTET_LENGTH(c.page) <= 64 THEN c.page END AS page,
    CASE
        WHEN c.registration ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
            THEN CAST(c.registration AS DOUBLE PRECISION)
    END AS registration,
    CASE
        WHEN c.sessionid ~ '^-?[0-9]{1,18}$'
            THEN CAST(c.sessionid AS BIGINT)
    END AS session_id,
    CASE WHEN OCTET_LENGTH(c.song) <= 1024 THEN c.song END AS song,
    CASE
        WHEN c.status ~ '^-?[0-9]{1,9}$'
            THEN CAST(c.status AS INTEGER)
    END AS status,
    CASE
        WHEN c.ts ~ '^-?[0-9]{1,18}$'
            THEN CAST(c.ts AS BIGINT)
    END AS ts,
    CASE WHEN OCTET_LENGTH(c.useragent) <= 1024 THEN c.useragent END AS user_agent,
    CASE WHEN OCTET_LENGTH(c.userid) <= 64 THEN c.userid END AS user_id,
    c.file_id,
    c.sparkify_extra AS extra,
    (
        OCTET_LENGTH(c.artist) > 1024
        OR c.artist ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.artist = '-0'
        OR OCTET_LENGTH(c.auth) > 64
        OR c.auth ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.auth = '-0'
        OR OCTET_LENGTH(c.firstname) > 1024
        OR c.firstname ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.firstname = '-0'
        OR OCTET_LENGTH(c.gender) > 16
        OR c.gender ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.gender = '-0'
        OR c.iteminsession IS NULL OR NOT c.iteminsession ~ '^-?[0-9]{1,9}$'
        OR OCTET_LENGTH(c.lastname) > 1024
        OR c.lastname ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.lastname = '-0'
        OR (
            OCTET_LENGTH(c.length) > 0
            AND NOT c.length ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
        )
        OR c.length ~ '^-0+$'
        OR OCTET_LENGTH(c.level) > 16
        OR c.level ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.level = '-0'
        OR OCTET_LENGTH(c.location) > 1024
        OR c.location ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.location = '-0'
        OR OCTET_LENGTH(c.method) > 16
        OR c.method ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.method = '-0'
        OR OCTET_LENGTH(c.page) > 64
        OR c.page IS NULL OR c.page = ''
        OR c.page LIKE '% '
        OR c.page ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.page = '-0'
        OR (
            OCTET_LENGTH(c.registration) > 0
            AND NOT c.registration ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
        )
        OR c.registration ~ '^-0+$'
        OR c.sessionid IS NULL OR NOT c.sessionid ~ '^-?[0-9]{1,18}$'
        OR OCTET_LENGTH(c.song) > 1024
        OR c.song ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.song = '-0'
        OR (
            OCTET_LENGTH(c.status) > 0
            AND NOT c.status ~ '^-?[0-9]{1,9}$'
        )
        OR c.ts IS NULL OR NOT c.ts ~ '^-?[0-9]{1,18}$'
        OR OCTET_LENGTH(c.useragent) > 1024
        OR c.useragent ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.useragent = '-0'
        OR OCTET_LENGTH(c.userid) > 64
        OR c.userid LIKE '% '
        OR c.userid ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.userid = '-0'
        OR COALESCE(
            CASE WHEN c.ts ~ '^-?[0-9]{1,18}$' THEN CAST(c.ts AS BIGINT) END
            NOT BETWEEN 946684800000 AND 4102444799999, TRUE
        )
        OR (c.page = 'NextSong' AND COALESCE(c.userid, '') = '')
        OR (:nested AND (
            LEFT(c.artist, 1) IN ('{', '[')
            OR LEFT(c.auth, 1) IN ('{', '[')
            OR LEFT(c.firstname, 1) IN ('{', '[')
            OR LEFT(c.gender, 1) IN ('{', '[')
            OR LEFT(c.lastname, 1) IN ('{', '[')
            OR LEFT(c.level, 1) IN ('{', '[')
            OR LEFT(c.location, 1) IN ('{', '[')
            OR LEFT(c.method, 1) IN ('{', '[')
            OR LEFT(c.page, 1) IN ('{', '[')
            OR LEFT(c.song, 1) IN ('{', '[')
            OR LEFT(c.useragent, 1) IN ('{', '[')
            OR LEFT(c.userid, 1) IN ('{', '[')
        ))
    ) AS needs_rereading
FROM run_event_copy AS c;

-- Events that our rules have accepted: every value is converted, and one that cannot be
-- converted is an error.
INSERT INTO run_events (
    artist, auth, first_name, gender, item_in_session, last_name, length, level, location, method, page,
    registration, session_id, song, status, ts, user_agent, user_id, file_id, extra, needs_rereading
)
SELECT
    c.artist,
    c.auth,
    c.firstname AS first_name,
    c.gender,
    CAST(c.iteminsession AS INTEGER) AS item_in_session,
    c.lastname AS last_name,
    CAST(c.length AS DOUBLE PRECISION) AS length,
    c.level,
    c.location,
    c.method,
    c.page,
    CAST(c.registration AS DOUBLE PRECISION) AS registration,
    CAST(c.sessionid AS BIGINT) AS session_id,
    c.song,
    CAST(c.status AS INTEGER) AS status,
    CAST(c.ts AS BIGINT) AS ts,
    c.useragent AS user_agent,
    c.userid AS user_id,
    c.file_id,
    c.sparkify_extra AS extra,
    FALSE AS needs_rereading
FROM run_event_copy AS c;
