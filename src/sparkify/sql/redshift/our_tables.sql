-- The tables of the warehouse that exist; asks the catalogue, which the leader node holds.
SELECT schemaname || '.' || tablename AS table_name
FROM pg_tables
WHERE schemaname IN ('public', 'etl')
ORDER BY table_name;
