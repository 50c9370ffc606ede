-- Remove the rows of an earlier batch of the same run.
DELETE FROM run_songs;

-- Remove the rows of an earlier batch of the same run.
DELETE FROM run_events;

-- Remove the rows of files that need re-reading (run_files).
DELETE FROM run_songs WHERE file_id IN (SELECT file_id FROM run_files);

-- Remove the rows of files that need re-reading (run_files).
DELETE FROM run_events WHERE file_id IN (SELECT file_id FROM run_files);

-- Remove the rows of replaced or retracted files (run_files).
DELETE FROM staging_songs USING run_files WHERE staging_songs.file_id = run_files.file_id;

-- Remove the rows of replaced or retracted files (run_files).
DELETE FROM staging_events USING run_files WHERE staging_events.file_id = run_files.file_id;

-- The columns that are NULL in every one of a day's events, for the days of the run's time range.
UPDATE etl.days SET absent = a.names
FROM (
    SELECT
        e.ts - MOD(e.ts, 86400000) AS midnight,
        RTRIM(
            CASE WHEN COUNT(e.artist) = 0 THEN 'artist ' ELSE '' END
            || CASE WHEN COUNT(e.auth) = 0 THEN 'auth ' ELSE '' END
            || CASE WHEN COUNT(e.first_name) = 0 THEN 'first_name ' ELSE '' END
            || CASE WHEN COUNT(e.gender) = 0 THEN 'gender ' ELSE '' END
            || CASE WHEN COUNT(e.last_name) = 0 THEN 'last_name ' ELSE '' END
            || CASE WHEN COUNT(e.length) = 0 THEN 'length ' ELSE '' END
            || CASE WHEN COUNT(e.level) = 0 THEN 'level ' ELSE '' END
            || CASE WHEN COUNT(e.location) = 0 THEN 'location ' ELSE '' END
            || CASE WHEN COUNT(e.method) = 0 THEN 'method ' ELSE '' END
            || CASE WHEN COUNT(e.registration) = 0 THEN 'registration ' ELSE '' END
            || CASE WHEN COUNT(e.song) = 0 THEN 'song ' ELSE '' END
            || CASE WHEN COUNT(e.status) = 0 THEN 'status ' ELSE '' END
            || CASE WHEN COUNT(e.user_agent) = 0 THEN 'user_agent ' ELSE '' END
            || CASE WHEN COUNT(e.user_id) = 0 THEN 'user_id ' ELSE '' END
        ) AS names
    FROM staging_events AS e
    WHERE e.ts BETWEEN :days_from AND :days_to
    GROUP BY e.ts - MOD(e.ts, 86400000)
) AS a
WHERE first_ts BETWEEN a.midnight AND a.midnight + 86399999 AND absent <> a.names;

-- The days whose absent columns are what they were after some events went: no column is NULL in
-- more of the events of a few minutes than it was in all of the day. A part can only show more of
-- them than the day has, and the day no fewer than before. The minutes are those after each 2^25 ms
-- (9 hours), so that few blocks are read.
SELECT a.midnight
FROM etl.days AS d
INNER JOIN (
    SELECT
        e.ts - MOD(e.ts, 86400000) AS midnight,
        RTRIM(
            CASE WHEN COUNT(e.artist) = 0 THEN 'artist ' ELSE '' END
            || CASE WHEN COUNT(e.auth) = 0 THEN 'auth ' ELSE '' END
            || CASE WHEN COUNT(e.first_name) = 0 THEN 'first_name ' ELSE '' END
            || CASE WHEN COUNT(e.gender) = 0 THEN 'gender ' ELSE '' END
            || CASE WHEN COUNT(e.last_name) = 0 THEN 'last_name ' ELSE '' END
            || CASE WHEN COUNT(e.length) = 0 THEN 'length ' ELSE '' END
            || CASE WHEN COUNT(e.level) = 0 THEN 'level ' ELSE '' END
            || CASE WHEN COUNT(e.location) = 0 THEN 'location ' ELSE '' END
            || CASE WHEN COUNT(e.method) = 0 THEN 'method ' ELSE '' END
            || CASE WHEN COUNT(e.registration) = 0 THEN 'registration ' ELSE '' END
            || CASE WHEN COUNT(e.song) = 0 THEN 'song ' ELSE '' END
            || CASE WHEN COUNT(e.status) = 0 THEN 'status ' ELSE '' END
            || CASE WHEN COUNT(e.user_agent) = 0 THEN 'user_agent ' ELSE '' END
            || CASE WHEN COUNT(e.user_id) = 0 THEN 'user_id ' ELSE '' END
        ) AS names
    FROM staging_events AS e
    WHERE e.ts BETWEEN :days_from AND :days_to AND (e.ts & 33554431) < 300000
    GROUP BY e.ts - MOD(e.ts, 86400000)
) AS a ON d.first_ts BETWEEN a.midnight AND a.midnight + 86399999
WHERE d.absent = a.names
ORDER BY a.midnight;

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= :run_from)  -- few
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= :run_from)  -- few
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= :run_from
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- Every row of staging belongs to a loaded file: a failed run has left no rows.
-- scope: moments
SELECT 'staging_songs' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    f.file_id IS NULL
GROUP BY s.file_id
UNION ALL
SELECT 'staging_events' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_events AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    s.ts IN (SELECT m.ts FROM run_moments AS m) AND  -- sparse
    s.ts BETWEEN :ts_from AND :ts_to AND f.file_id IS NULL
GROUP BY s.file_id;

-- A field that every day had does not go away.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 50 events or more, none has the field, and some did on each of the 7 days with
-- events before.
WITH fields AS (
    SELECT 'artist' AS name
    UNION ALL SELECT 'auth' AS name
    UNION ALL SELECT 'first_name' AS name
    UNION ALL SELECT 'gender' AS name
    UNION ALL SELECT 'last_name' AS name
    UNION ALL SELECT 'length' AS name
    UNION ALL SELECT 'level' AS name
    UNION ALL SELECT 'location' AS name
    UNION ALL SELECT 'method' AS name
    UNION ALL SELECT 'registration' AS name
    UNION ALL SELECT 'song' AS name
    UNION ALL SELECT 'status' AS name
    UNION ALL SELECT 'user_agent' AS name
    UNION ALL SELECT 'user_id' AS name
),

days AS (
    SELECT
        d.day,
        d.first_ts,
        d.events,
        f.name,
        CASE WHEN ' ' || d.absent || ' ' LIKE '% ' || f.name || ' %' THEN 1 ELSE 0 END AS is_absent
    FROM etl.days AS d
    CROSS JOIN fields AS f
),

judged AS (
    SELECT
        d.day,
        d.first_ts,
        d.events,
        d.name,
        d.is_absent,
        COUNT(*) OVER (
            PARTITION BY d.name ORDER BY d.day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        SUM(d.is_absent) OVER (
            PARTITION BY d.name ORDER BY d.day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING
        ) AS absent_before
    FROM days AS d
)

SELECT
    CAST(j.day AS VARCHAR(10)) || ' ' || j.name AS subject,
    'none of ' || CAST(j.events AS VARCHAR(20)) || ' events has a value for ' || j.name
    || ', which each of the 7 days before had' AS found
FROM judged AS j
WHERE
    j.first_ts BETWEEN :days_from AND :days_to
    AND j.events >= 50 AND j.is_absent = 1 AND j.days_before = 7 AND j.absent_before = 0
ORDER BY subject;
