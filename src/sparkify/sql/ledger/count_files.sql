-- How many versions of files the ledger has.
SELECT COUNT(*) AS files FROM etl.files;
