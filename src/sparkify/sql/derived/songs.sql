-- Songs as delivered. One row per accepted record of every current file.
-- Storage is AUTO, as AWS recommends. No key is declared: nothing verifies it, and Redshift's planner
-- would trust it.
CREATE TABLE IF NOT EXISTS staging_songs (
    num_songs INTEGER,
    artist_id VARCHAR(64),
    artist_latitude DOUBLE PRECISION,
    artist_longitude DOUBLE PRECISION,
    artist_location VARCHAR(1024),
    artist_name VARCHAR(1024),
    song_id VARCHAR(64),
    title VARCHAR(1024),
    duration DOUBLE PRECISION,
    year INTEGER,
    file_id BIGINT NOT NULL,
    extra VARCHAR(65535)
);

-- The songs of this run's files before they are accepted.
CREATE TEMP TABLE IF NOT EXISTS run_songs (
    num_songs INTEGER,
    artist_id VARCHAR(64),
    artist_latitude DOUBLE PRECISION,
    artist_longitude DOUBLE PRECISION,
    artist_location VARCHAR(1024),
    artist_name VARCHAR(1024),
    song_id VARCHAR(64),
    title VARCHAR(1024),
    duration DOUBLE PRECISION,
    year INTEGER,
    file_id BIGINT NOT NULL,
    extra VARCHAR(65535),
    needs_rereading BOOLEAN
);

-- Accept the songs of this run.
INSERT INTO staging_songs (
    num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title,
    duration, year, file_id, extra
)
SELECT
    num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title,
    duration, year, file_id, extra
FROM run_songs;

-- Give landed songs the new numbers of their files (run_moves).
UPDATE run_songs SET file_id = run_moves.new_file_id FROM run_moves
WHERE run_songs.file_id = run_moves.file_id;

-- The landed files of songs (file_id in run_moves) that hold other rows than the staged files that
-- they may be (new_file_id): a row that one of them has more often. GROUP BY takes NULL for equal.
SELECT DISTINCT d.file_id, d.new_file_id
FROM (
    SELECT
        m.file_id,
        m.new_file_id,
        r.num_songs, r.artist_id, r.artist_latitude, r.artist_longitude, r.artist_location,
        r.artist_name, r.song_id, r.title, r.duration, r.year,
        1 AS weight
    FROM run_songs AS r
    INNER JOIN run_moves AS m ON r.file_id = m.file_id
    UNION ALL
    SELECT
        m.file_id,
        m.new_file_id,
        r.num_songs, r.artist_id, r.artist_latitude, r.artist_longitude, r.artist_location,
        r.artist_name, r.song_id, r.title, r.duration, r.year,
        -1 AS weight
    FROM staging_songs AS r
    INNER JOIN run_moves AS m ON r.file_id = m.new_file_id
) AS d
GROUP BY
    d.file_id, d.new_file_id, d.num_songs, d.artist_id, d.artist_latitude, d.artist_longitude,
    d.artist_location, d.artist_name, d.song_id, d.title, d.duration, d.year
HAVING SUM(d.weight) <> 0;

-- Counts of every landed file of this run: rows, rows of the fact, the range of their times, rows that
-- need re-reading, null values, and rows with fields that have no column.
SELECT
    file_id,
    COUNT(*) AS landed,
    0 AS plays,
    CAST(NULL AS BIGINT) AS ts_from,
    CAST(NULL AS BIGINT) AS ts_to,
    COUNT(CASE WHEN needs_rereading THEN 1 END) AS needs_rereading,
    10 * COUNT(*)
    - COUNT(num_songs) - COUNT(artist_id) - COUNT(artist_latitude) - COUNT(artist_longitude)
    - COUNT(artist_location) - COUNT(artist_name) - COUNT(song_id) - COUNT(title) - COUNT(duration)
    - COUNT(year) AS null_values,
    COUNT(extra) AS extras
FROM run_songs
GROUP BY file_id;

-- Songs as COPY reads them: every value as text, so that COPY converts, rounds and
-- truncates nothing; a text that is too long for its column is an error. The columns are the keys of the
-- records, in lower case as Redshift folds names.
CREATE TEMP TABLE IF NOT EXISTS run_song_copy (
    num_songs VARCHAR(64),
    artist_id VARCHAR(65),
    artist_latitude VARCHAR(64),
    artist_longitude VARCHAR(64),
    artist_location VARCHAR(1025),
    artist_name VARCHAR(1025),
    song_id VARCHAR(65),
    title VARCHAR(1025),
    duration VARCHAR(64),
    year VARCHAR(64),
    sparkify_extra VARCHAR(65535),
    file_id BIGINT
);

-- One file of songs. The engine appends MANIFEST, GZIP or ZSTD, REGION. No MAXERROR: a file
-- with an error is skipped as a whole, and read again record by record.
COPY run_song_copy (
    num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title,
    duration, year
)
FROM :source
IAM_ROLE :role
FORMAT AS JSON :jsonpaths
COMPUPDATE OFF STATUPDATE OFF;

-- Packed records (songs), each with the number of its file. The engine appends MANIFEST GZIP and
-- REGION, and counts the records that COPY skips.
COPY run_song_copy (
    num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title,
    duration, year, sparkify_extra, file_id
)
FROM :source
IAM_ROLE :role
FORMAT AS JSON :jsonpaths
MAXERROR 100000 COMPUPDATE OFF STATUPDATE OFF;

-- Set the file number of the rows copied last.
UPDATE run_song_copy SET file_id = :file_id WHERE file_id IS NULL;

-- Count the copied records.
SELECT COUNT(*) AS copied FROM run_song_copy;

-- List the files with at least one copied record.
SELECT DISTINCT file_id FROM run_song_copy;

-- Empty the table that COPY fills.
DELETE FROM run_song_copy;

-- Songs into the run's table: texts that are certainly numbers are converted. Rows that may
-- break a rule, or that COPY may have read differently, need re-reading: their file is read again record
-- by record. These are texts that look like numbers with a fraction or an exponent (COPY makes no
-- difference between 1.50 and "1.50"), values that are too long, and, in files with nested values, texts
-- that begin like an object or array.
-- OCTET_LENGTH and LIKE are used because comparisons ignore trailing blanks. What is not built in was judged
-- when the records were packed.
INSERT INTO run_songs (
    num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title,
    duration, year, file_id, extra, needs_rereading
)
SELECT
    CASE
        WHEN c.num_songs ~ '^-?[0-9]{1,9}$'
            THEN CAST(c.num_songs AS INTEGER)
    END AS num_songs,
    CASE WHEN OCTET_LENGTH(c.artist_id) <= 64 THEN c.artist_id END AS artist_id,
    CASE
        WHEN c.artist_latitude ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
            THEN CAST(c.artist_latitude AS DOUBLE PRECISION)
    END AS artist_latitude,
    CASE
        WHEN c.artist_longitude ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
            THEN CAST(c.artist_longitude AS DOUBLE PRECISION)
    END AS artist_longitude,
    CASE WHEN OCTET_LENGTH(c.artist_location) <= 1024 THEN c.artist_location END AS artist_location,
    CASE WHEN OCTET_LENGTH(c.artist_name) <= 1024 THEN c.artist_name END AS artist_name,
    CASE WHEN OCTET_LENGTH(c.song_id) <= 64 THEN c.song_id END AS song_id,
    CASE WHEN OCTET_LENGTH(c.title) <= 1024 THEN c.title END AS title,
    CASE
        WHEN c.duration ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
            THEN CAST(c.duration AS DOUBLE PRECISION)
    END AS duration,
    CASE
        WHEN c.year ~ '^-?[0-9]{1,9}$'
            THEN CAST(c.year AS INTEGER)
    END AS year,
    c.file_id,
    c.sparkify_extra AS extra,
    (
        (
            OCTET_LENGTH(c.num_songs) > 0
            AND NOT c.num_songs ~ '^-?[0-9]{1,9}$'
        )
        OR OCTET_LENGTH(c.artist_id) > 64
        OR c.artist_id IS NULL OR c.artist_id = ''
        OR c.artist_id LIKE '% '
        OR c.artist_id ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.artist_id = '-0'
        OR (
            OCTET_LENGTH(c.artist_latitude) > 0
            AND NOT c.artist_latitude ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
        )
        OR c.artist_latitude ~ '^-0+$'
        OR (
            OCTET_LENGTH(c.artist_longitude) > 0
            AND NOT c.artist_longitude ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
        )
        OR c.artist_longitude ~ '^-0+$'
        OR OCTET_LENGTH(c.artist_location) > 1024
        OR c.artist_location ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.artist_location = '-0'
        OR OCTET_LENGTH(c.artist_name) > 1024
        OR c.artist_name ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.artist_name = '-0'
        OR OCTET_LENGTH(c.song_id) > 64
        OR c.song_id IS NULL OR c.song_id = ''
        OR c.song_id LIKE '% '
        OR c.song_id ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.song_id = '-0'
        OR OCTET_LENGTH(c.title) > 1024
        OR c.title ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.title = '-0'
        OR (
            OCTET_LENGTH(c.duration) > 0
            AND NOT c.duration ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
        )
        OR c.duration ~ '^-0+$'
        OR (
            OCTET_LENGTH(c.year) > 0
            AND NOT c.year ~ '^-?[0-9]{1,9}$'
        )
        OR (:nested AND (
            LEFT(c.artist_id, 1) IN ('{', '[')
            OR LEFT(c.artist_location, 1) IN ('{', '[')
            OR LEFT(c.artist_name, 1) IN ('{', '[')
            OR LEFT(c.song_id, 1) IN ('{', '[')
            OR LEFT(c.title, 1) IN ('{', '[')
        ))
    ) AS needs_rereading
FROM run_song_copy AS c;

-- Songs that our rules have accepted: every value is converted, and one that cannot be
-- converted is an error.
INSERT INTO run_songs (
    num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title,
    duration, year, file_id, extra, needs_rereading
)
SELECT
    CAST(c.num_songs AS INTEGER) AS num_songs,
    c.artist_id,
    CAST(c.artist_latitude AS DOUBLE PRECISION) AS artist_latitude,
    CAST(c.artist_longitude AS DOUBLE PRECISION) AS artist_longitude,
    c.artist_location,
    c.artist_name,
    c.song_id,
    c.title,
    CAST(c.duration AS DOUBLE PRECISION) AS duration,
    CAST(c.year AS INTEGER) AS year,
    c.file_id,
    c.sparkify_extra AS extra,
    FALSE AS needs_rereading
FROM run_song_copy AS c;
