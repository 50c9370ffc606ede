-- Have texts of the ledger say nothing any more, since they name somebody who is forgotten.
UPDATE etl.checks SET
    sample = CASE WHEN sample IS NULL THEN NULL ELSE 'erased' END,
    subject = CASE WHEN subject IS NULL OR :keeps_subject THEN subject ELSE 'erased' END
WHERE run_id = :run_id AND check_name = :check_name;

UPDATE etl.runs SET error = 'erased' WHERE run_id = :run_id;

UPDATE etl.files SET detail = 'erased' WHERE file_id = :file_id AND run_id = :run_id;
