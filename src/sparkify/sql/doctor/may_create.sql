-- Where the user may create: each schema, and the database, for schemas that are missing.
SELECT
    n.nspname AS schema_name,
    HAS_SCHEMA_PRIVILEGE(n.nspname, 'create') AS in_schema,
    HAS_DATABASE_PRIVILEGE(CURRENT_DATABASE(), 'create') AS in_database
FROM pg_namespace AS n;
