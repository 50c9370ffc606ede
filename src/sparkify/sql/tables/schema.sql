-- The ledger's own schema.
CREATE SCHEMA IF NOT EXISTS etl;
