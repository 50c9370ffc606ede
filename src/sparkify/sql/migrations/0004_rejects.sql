-- A reject knows its kind; those of files that were loaded anew, or taken out, are resolved.
ALTER TABLE etl.rejects ADD COLUMN kind VARCHAR(16);

UPDATE etl.rejects SET kind = f.kind
FROM etl.files AS f
WHERE rejects.file_id = f.file_id AND rejects.run_id = f.run_id;

UPDATE etl.rejects SET resolved_by = f.run_id
FROM etl.files AS f
WHERE rejects.file_id = f.file_id AND rejects.run_id = f.run_id AND f.state <> 'loaded';
