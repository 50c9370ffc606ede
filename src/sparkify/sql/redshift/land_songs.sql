-- Song records into the run's table: texts become numbers where that is beyond doubt, and rows
-- that may break a rule, or may not be what they seem, are marked suspect: their file is read again,
-- carefully. Doubtful are texts that look like numbers with a fraction or an exponent (COPY does not tell
-- 1.50 from "1.50"), anything too long, and, where values are nested, what opens like an object or array.
-- OCTET_LENGTH and LIKE, since comparisons ignore trailing blanks.
INSERT INTO run_songs (
    num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id,
    title, duration, year, file_id, suspect
)
SELECT
    CASE
        WHEN c.num_songs ~ '^-?[0-9]{1,9}$' THEN CAST(c.num_songs AS INTEGER)
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
        WHEN c.year ~ '^-?[0-9]{1,9}$' THEN CAST(c.year AS INTEGER)
    END AS year,
    c.file_id,
    (
        (OCTET_LENGTH(c.num_songs) > 0 AND NOT c.num_songs ~ '^-?[0-9]{1,9}$')
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
        OR (OCTET_LENGTH(c.year) > 0 AND NOT c.year ~ '^-?[0-9]{1,9}$')
        OR (:nested AND (
            LEFT(c.artist_id, 1) IN ('{', '[')
            OR LEFT(c.artist_location, 1) IN ('{', '[')
            OR LEFT(c.artist_name, 1) IN ('{', '[')
            OR LEFT(c.song_id, 1) IN ('{', '[')
            OR LEFT(c.title, 1) IN ('{', '[')
        ))
    ) AS suspect
FROM run_song_copy AS c;
