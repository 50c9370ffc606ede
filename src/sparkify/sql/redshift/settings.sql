-- Tables without a schema are those in public, whatever the user's own setting.
SET search_path TO public;

-- In milliseconds: a statement that takes longer is cancelled.
SET statement_timeout TO :milliseconds;
