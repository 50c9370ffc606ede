-- The files of which every event in staging is before a moment.
SELECT f.file_id, f.uri
FROM etl.files AS f
INNER JOIN (
    SELECT s.file_id, COUNT(*) AS older
    FROM staging_events AS s
    WHERE s.ts < :before_ts
    GROUP BY s.file_id
) AS e ON f.file_id = e.file_id
WHERE f.state = 'loaded' AND f.rows_loaded = e.older;
