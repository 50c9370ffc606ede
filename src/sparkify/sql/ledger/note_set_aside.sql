-- Note on a loaded file why its later version is set aside.
UPDATE etl.files SET reason = :reason, detail = :detail
WHERE state = 'loaded' AND file_id = :file_id;
