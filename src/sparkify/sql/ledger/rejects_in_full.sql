-- The same rejected records one by one, filtered by reason and by the end of the URI; '' filters nothing.
SELECT
    r.run_id,
    f.file_id IS NOT NULL AS published,
    r.uri,
    r.line,
    r.byte_offset,
    r.reason,
    r.detail,
    r.encoding,
    r.content
FROM etl.rejects AS r
LEFT JOIN etl.files AS f ON r.file_id = f.file_id AND r.run_id = f.run_id AND f.state = 'loaded'
WHERE
    (
        f.file_id IS NOT NULL
        OR r.run_id IN (
            SELECT MAX(u.run_id) FROM etl.runs AS u
            HAVING MAX(u.run_id) = MAX(CASE WHEN u.status = 'failed' THEN u.run_id END)
        )
    )
    AND (:reason = '' OR r.reason = :reason)
    AND (:uri = '' OR RIGHT(r.uri, LEN(:uri)) = :uri)
ORDER BY r.uri, r.line, r.run_id
LIMIT :most;
