-- The same rejects one by one; a reason or the end of a URI narrows them down, '' does not.
SELECT r.run_id, r.uri, r.line, r.byte_offset, r.reason, r.detail, r.encoding, r.content
FROM etl.rejects AS r
WHERE
    (
        EXISTS (
            SELECT 1 FROM etl.files AS f
            WHERE f.file_id = r.file_id AND f.run_id = r.run_id AND f.state = 'loaded'
        )
        OR r.run_id IN (
            SELECT MAX(u.run_id) FROM etl.runs AS u
        HAVING MAX(u.run_id) = MAX(CASE WHEN u.status = 'failed' THEN u.run_id END)
        )
    )
    AND (:reason = '' OR r.reason = :reason)
    AND (:uri = '' OR RIGHT(r.uri, LEN(:uri)) = :uri)
ORDER BY r.uri, r.line
LIMIT :most;
