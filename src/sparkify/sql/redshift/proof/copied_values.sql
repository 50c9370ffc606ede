-- What was loaded.
SELECT name, value FROM proof_values;
