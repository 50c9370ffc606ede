-- The rows of the file that was copied last get its number.
UPDATE run_event_copy SET file_id = :file_id WHERE file_id IS NULL;
