-- Add a row.
INSERT INTO proof_shared (number) VALUES (1);
