-- The schemas there are. CREATE SCHEMA IF NOT EXISTS takes the right to make one even where it exists.
SELECT n.nspname AS schema_name FROM pg_namespace AS n;
