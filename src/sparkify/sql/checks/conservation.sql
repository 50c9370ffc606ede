-- Every line read is loaded or rejected, and every loaded line is in staging: per file.
SELECT f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= :run_from)
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= :run_from)
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= :run_from
    AND (f.rows_read <> f.rows_loaded + f.rows_rejected OR f.rows_loaded <> COALESCE(s.staged, 0));
