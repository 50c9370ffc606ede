-- Files set aside
-- Files that are kept out whole, and why, whatever the range; the 100 latest.
SELECT
    f.uri,
    f.kind,
    f.run_id,
    f.reason,
    f.rows_read,
    f.rows_rejected,
    f.detail
FROM etl.files AS f
WHERE f.state = 'set_aside'
ORDER BY f.run_id DESC, f.uri
LIMIT 100;
