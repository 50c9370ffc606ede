-- One row if it is there.
SELECT tablename FROM pg_tables WHERE tablename = 'proof_other';
