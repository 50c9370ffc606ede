-- Remove the rows.
DELETE FROM proof_shared;
