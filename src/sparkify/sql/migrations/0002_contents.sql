-- A file is known by its content; why one is set aside; how large a rejected record is, and what mended it.
ALTER TABLE etl.files ADD COLUMN content VARCHAR(32);

ALTER TABLE etl.files ADD COLUMN reason VARCHAR(16);

ALTER TABLE etl.files ADD COLUMN detail VARCHAR(1024);

ALTER TABLE etl.rejects ADD COLUMN size BIGINT;

ALTER TABLE etl.rejects ADD COLUMN resolved_by INTEGER;
