-- The records that a run rejected, with their bytes.
SELECT r.file_id, r.byte_offset, r.uri, r.encoding, r.content, r.kind
FROM etl.rejects AS r
WHERE r.run_id = :run_id;
