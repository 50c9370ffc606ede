-- The values of fields that have no column are kept, as the text of a JSON object. Rows that were loaded
-- before have none.
ALTER TABLE staging_events ADD COLUMN extra VARCHAR(65535);

ALTER TABLE staging_songs ADD COLUMN extra VARCHAR(65535);
