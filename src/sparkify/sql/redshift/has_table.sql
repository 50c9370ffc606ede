-- Whether a table exists; asks the catalogue, which the leader node holds.
SELECT tablename FROM pg_tables WHERE schemaname = :schema_name AND tablename = :table_name;
