-- A table without a schema is in public, whatever the user's own setting.
SET search_path TO public;

-- In milliseconds; the server cancels a statement that takes longer.
SET statement_timeout TO :milliseconds;
