-- Count the rows.
SELECT COUNT(*) AS numbers FROM proof_shared;
