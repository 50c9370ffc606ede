-- Every row of staging belongs to a file that is loaded: none is left of a run that failed.
SELECT 'staging_events' AS in_table, e.file_id, COUNT(*) AS staged
FROM staging_events AS e
LEFT JOIN etl.files AS f ON e.file_id = f.file_id AND f.state = 'loaded'
WHERE e.ts BETWEEN :ts_from AND :ts_to AND f.file_id IS NULL
GROUP BY e.file_id
UNION ALL
SELECT 'staging_songs' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE f.file_id IS NULL
GROUP BY s.file_id;
