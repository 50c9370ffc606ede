-- Whether the user may create tables in the default schema, and create our own schemas.
SELECT
    HAS_SCHEMA_PRIVILEGE('public', 'create') AS in_schema,
    HAS_DATABASE_PRIVILEGE(CURRENT_DATABASE(), 'create') AS in_database;
