-- Log lines into the run's table: texts become numbers where that is beyond doubt, and rows
-- that may break a rule, or may not be what they seem, are marked suspect: their file is read again,
-- carefully. Doubtful are texts that look like numbers with a fraction or an exponent (COPY does not tell
-- 1.50 from "1.50"), anything too long, and, where values are nested, what opens like an object or array.
-- OCTET_LENGTH and LIKE, since comparisons ignore trailing blanks.
INSERT INTO run_events (
    artist, auth, first_name, gender, item_in_session, last_name, length, level, location, method, page,
    registration, session_id, song, status, ts, user_agent, user_id, file_id, suspect
)
SELECT
    CASE WHEN OCTET_LENGTH(c.artist) <= 1024 THEN c.artist END AS artist,
    CASE WHEN OCTET_LENGTH(c.auth) <= 64 THEN c.auth END AS auth,
    CASE WHEN OCTET_LENGTH(c.firstname) <= 1024 THEN c.firstname END AS first_name,
    CASE WHEN OCTET_LENGTH(c.gender) <= 16 THEN c.gender END AS gender,
    CASE
        WHEN c.iteminsession ~ '^-?[0-9]{1,9}$' THEN CAST(c.iteminsession AS INTEGER)
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
        WHEN c.sessionid ~ '^-?[0-9]{1,18}$' THEN CAST(c.sessionid AS BIGINT)
    END AS session_id,
    CASE WHEN OCTET_LENGTH(c.song) <= 1024 THEN c.song END AS song,
    CASE
        WHEN c.status ~ '^-?[0-9]{1,9}$' THEN CAST(c.status AS INTEGER)
    END AS status,
    CASE
        WHEN c.ts ~ '^-?[0-9]{1,18}$' THEN CAST(c.ts AS BIGINT)
    END AS ts,
    CASE WHEN OCTET_LENGTH(c.useragent) <= 1024 THEN c.useragent END AS user_agent,
    CASE WHEN OCTET_LENGTH(c.userid) <= 64 THEN c.userid END AS user_id,
    c.file_id,
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
        OR (OCTET_LENGTH(c.status) > 0 AND NOT c.status ~ '^-?[0-9]{1,9}$')
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
    ) AS suspect
FROM run_event_copy AS c;
