-- of 41b8d2b3556c016b
SELECT HAS_SCHEMA_PRIVILEGE('public', 'create') AS in_schema, HAS_DATABASE_PRIVILEGE(CURRENT_DATABASE(), 'create') AS in_database;
