-- The existing tables of the warehouse, from the catalogue on the leader node.
SELECT schemaname || '.' || tablename AS table_name
FROM pg_tables
WHERE schemaname IN ('public', 'etl')
ORDER BY table_name;
