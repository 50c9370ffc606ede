-- A table in a transaction that is rolled back.
CREATE TABLE proof_other (number INTEGER);
