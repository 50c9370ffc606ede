-- The same rejected records of such a warehouse one by one; how long they are is not known.
SELECT
    r.run_id,
    f.file_id IS NOT NULL AS published,
    f.kind,
    r.uri,
    r.line,
    r.byte_offset,
    CAST(NULL AS BIGINT) AS size,
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
    AND (:kind = '' OR f.kind = :kind)
    AND (:reason = '' OR r.reason = :reason)
    AND (:uri = '' OR RIGHT(r.uri, LEN(:uri)) = :uri)
ORDER BY r.uri, r.byte_offset, r.run_id
LIMIT :most;
