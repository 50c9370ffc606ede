-- The same rejected records one by one, filtered by kind, reason and the end of the URI; '' filters nothing.
SELECT
    r.run_id,
    u.status = 'done' AS published,
    r.kind,
    r.uri,
    r.line,
    r.byte_offset,
    r.size,
    r.reason,
    r.detail,
    r.encoding,
    r.content
FROM etl.rejects AS r
INNER JOIN etl.runs AS u ON r.run_id = u.run_id
WHERE
    (
        (u.status = 'done' AND r.resolved_by IS NULL)
        OR (u.status = 'failed' AND r.run_id IN (SELECT MAX(l.run_id) FROM etl.runs AS l))
    )
    AND (:kind = '' OR r.kind = :kind)
    AND (:reason = '' OR r.reason = :reason)
    AND (:uri = '' OR RIGHT(r.uri, LEN(:uri)) = :uri)
ORDER BY r.uri, r.byte_offset, r.run_id
LIMIT :most;
