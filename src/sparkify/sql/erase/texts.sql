-- Texts of the ledger that may name somebody: what checks have shown, why runs failed, why files are set
-- aside.
SELECT c.run_id, c.check_name, c.sample, c.subject
FROM etl.checks AS c
WHERE c.sample IS NOT NULL OR c.subject IS NOT NULL;

SELECT r.run_id, r.error FROM etl.runs AS r WHERE r.error IS NOT NULL;

SELECT f.file_id, f.run_id, f.detail FROM etl.files AS f WHERE f.detail IS NOT NULL;
