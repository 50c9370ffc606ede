-- How many runs the ledger has.
SELECT COUNT(*) AS runs FROM etl.runs;
