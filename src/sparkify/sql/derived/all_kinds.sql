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

-- Every record read is loaded or rejected, and every loaded record is in staging: per file.
-- scope: run
SELECT f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= :run_from)
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= :run_from)
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= :run_from
    AND (f.rows_read <> f.rows_loaded + f.rows_rejected OR f.rows_loaded <> COALESCE(s.staged, 0));

-- Every row of staging belongs to a loaded file: a failed run has left no rows.
-- scope: time range
SELECT 'staging_songs' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE f.file_id IS NULL
GROUP BY s.file_id
UNION ALL
SELECT 'staging_events' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_events AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE s.ts BETWEEN :ts_from AND :ts_to AND f.file_id IS NULL
GROUP BY s.file_id;
